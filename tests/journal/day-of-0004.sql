BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE answers (
	office_id TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	fingerprint BLOB NOT NULL, 
	seq BIGINT NOT NULL, 
	ticket_id TEXT, 
	session TEXT, 
	at VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_answers PRIMARY KEY (office_id, "key")
)
 WITHOUT ROWID

;
CREATE TABLE dead_letters (
	endpoint TEXT NOT NULL, 
	office_id TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	failed_at VARCHAR(32) NOT NULL, 
	attempts INTEGER NOT NULL, 
	error TEXT NOT NULL, 
	CONSTRAINT pk_dead_letters PRIMARY KEY (endpoint, office_id, seq)
)
 WITHOUT ROWID

;
CREATE TABLE deliveries (
	endpoint TEXT NOT NULL, 
	office_id TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	attempts INTEGER NOT NULL, 
	failing_since VARCHAR(32), 
	CONSTRAINT pk_deliveries PRIMARY KEY (endpoint, office_id)
)
 WITHOUT ROWID

;
CREATE TABLE facts (
	office_id TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	actor TEXT NOT NULL, 
	"key" TEXT, 
	kind TEXT NOT NULL, 
	ticket_id TEXT, 
	body TEXT NOT NULL, 
	hash BLOB NOT NULL, 
	CONSTRAINT pk_facts PRIMARY KEY (office_id, seq)
)
 WITHOUT ROWID

;
INSERT INTO "facts" VALUES('hall',1,'2026-11-23T08:59:59.000000+00:00','Zoë "at the counter"',NULL,'Configured',NULL,'{"at":"2026-11-23T08:59:59Z","office":{"id":"hall","name":{"en":"The hall"},"zone":"UTC","languages":["ru","en"],"hotline":null,"groups":[{"id":"papers","name":{"en":"Papers"}}],"services":[{"id":"passport","letter":"A","name":{"en":"Passports"},"group":"papers","limits":{"walk_in":900,"booked":300,"walk_in_warning":null,"booked_warning":null}},{"id":"land","letter":"B","name":{"en":"Land"},"group":null,"limits":{"walk_in":1800,"booked":600,"walk_in_warning":null,"booked_warning":null}},{"id":"cash","letter":"C","name":{"en":"Cash desk"},"group":null,"limits":{"walk_in":900,"booked":300,"walk_in_warning":null,"booked_warning":null}}],"counters":[{"id":"1","name":{"en":"Counter 1"},"services":["passport","land"]},{"id":"2","name":{"en":"Counter 2"},"services":["passport"]},{"id":"3","name":{"en":"Counter 3"},"services":["land","cash"]}],"categories":[{"id":"veteran","name":{"en":"Veteran"},"basis":{"en":"Veteran''s card"}}],"hours":[{"weekday":0,"opens":"09:00:00","closes":"18:00:00"},{"weekday":1,"opens":"09:00:00","closes":"18:00:00"},{"weekday":2,"opens":"09:00:00","closes":"18:00:00"},{"weekday":3,"opens":"09:00:00","closes":"18:00:00"},{"weekday":4,"opens":"09:00:00","closes":"18:00:00"}],"discipline":"accumulating_priority","booked_weight":5,"recall_limit":2,"undo_seconds":60,"closes_after_minutes":180,"escalation":[{"role":"operator","after_seconds":0},{"role":"administrator","after_seconds":180},{"role":"director","after_seconds":600}],"idle_seconds":60,"long_pause_seconds":600,"more_time_seconds":600,"more_time_limit":1,"offline_numbers":25}}',X'1242894941C3521C8A85A6438C017B0E2222618EB03477C9E3104973B3C7DE22');
INSERT INTO "facts" VALUES('hall',2,'2026-11-23T08:59:59.000000+00:00','Zoë "at the counter"',NULL,'CounterOpened',NULL,'{"at":"2026-11-23T08:59:59Z","counter":"1","operator":"operator 1"}',X'EB8054EEE0C73904105F1B14B0CA2E862B2C68334F30D5721739218A67B0B69A');
INSERT INTO "facts" VALUES('hall',3,'2026-11-23T08:59:59.000000+00:00','Zoë "at the counter"',NULL,'CounterOpened',NULL,'{"at":"2026-11-23T08:59:59Z","counter":"2","operator":"operator 2"}',X'4513F0B4F08B15F8CC4358DD460E122E6327D272D60CCA2615AED4253FAF8B93');
INSERT INTO "facts" VALUES('hall',4,'2026-11-23T08:59:59.000000+00:00','Zoë "at the counter"',NULL,'CounterOpened',NULL,'{"at":"2026-11-23T08:59:59Z","counter":"3","operator":"operator 3"}',X'69CD76375505A2C3485962E1BD80362E4A997CF3F4667C02234763F42B089AB6');
INSERT INTO "facts" VALUES('hall',5,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'DayOpened',NULL,'{"at":"2026-11-23T09:00:00Z","day":"2026-11-23","by_hand":false}',X'D852A2684C2079815EDDE9BBE30A25ABBA47EDAD8D222D98E64C6BEE59D186FD');
INSERT INTO "facts" VALUES('hall',6,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'CounterClosed',NULL,'{"at":"2026-11-23T09:00:00Z","counter":"3"}',X'C405FC46172C4874B6EAFDDE707191B47FBF3E5DF4966D7C04EE2DFA31508EA8');
INSERT INTO "facts" VALUES('hall',7,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'CounterOpened',NULL,'{"at":"2026-11-23T09:00:00Z","counter":"3","operator":"operator 1"}',X'1CA5DF0AFCA6DABE95E5E118B8AC69C9093191319E64D196298B302D2E27E979');
INSERT INTO "facts" VALUES('hall',8,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'Issued','20261123-A001','{"at":"2026-11-23T09:00:00Z","ticket":"20261123-A001","letter":"A","serial":1,"day":"2026-11-23","service":"passport","channel":"walk_in","category":null,"clock_start":"2026-11-23T09:00:00Z","limit_seconds":900,"warning_seconds":600,"stops":[],"ahead":0,"language":null,"lease":null,"issued_at":null}',X'D98DF61696338FBAE939A3ACDF00E7241147D9AB60EC691602F6089910960F10');
INSERT INTO "facts" VALUES('hall',9,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'Issued','20261123-A002','{"at":"2026-11-23T09:00:00Z","ticket":"20261123-A002","letter":"A","serial":2,"day":"2026-11-23","service":"passport","channel":"walk_in","category":null,"clock_start":"2026-11-23T09:00:00Z","limit_seconds":900,"warning_seconds":600,"stops":[],"ahead":1,"language":null,"lease":null,"issued_at":null}',X'24C9C6BDB9DD2C96E0CAC513974F503700DFBDDF94CD7198E8986F0F04D09E95');
INSERT INTO "facts" VALUES('hall',10,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'Issued','20261123-B001','{"at":"2026-11-23T09:00:00Z","ticket":"20261123-B001","letter":"B","serial":1,"day":"2026-11-23","service":"land","channel":"booked","category":null,"clock_start":"2026-11-23T09:00:00Z","limit_seconds":600,"warning_seconds":400,"stops":[],"ahead":0,"language":null,"lease":null,"issued_at":null}',X'DEA22E10B7613495C384F24863BE6A0F9667453DAF99E62DA8AE3A40FAFD076E');
INSERT INTO "facts" VALUES('hall',11,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'Issued','20261123-A003','{"at":"2026-11-23T09:00:00Z","ticket":"20261123-A003","letter":"A","serial":3,"day":"2026-11-23","service":"passport","channel":"walk_in","category":"veteran","clock_start":"2026-11-23T09:00:00Z","limit_seconds":900,"warning_seconds":600,"stops":[],"ahead":2,"language":null,"lease":null,"issued_at":null}',X'B5A295C68CE6FC29363A3C9DA1BC83037C3EFD6F610DD6924859E4DD74336F59');
INSERT INTO "facts" VALUES('hall',12,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'Called','20261123-A003','{"at":"2026-11-23T09:00:00Z","ticket":"20261123-A003","counter":"1","operator":"operator 1","because":{"rule":"accumulating_priority","chosen":{"ticket":"20261123-A003","number":"A003","rank":"out_of_turn","waited_seconds":0.0,"points":0.0},"others":[{"ticket":"20261123-A001","number":"A001","rank":"walk_in","waited_seconds":0.0,"points":0.0},{"ticket":"20261123-B001","number":"B001","rank":"booked","waited_seconds":0.0,"points":0.0}],"reason":null}}',X'914107EEDC5D55E888F126DC820DCCA6D298D48A805D53A69E0319FA86AE678C');
INSERT INTO "facts" VALUES('hall',13,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'CategoryWithdrawn','20261123-A003','{"at":"2026-11-23T09:00:00Z","ticket":"20261123-A003","reason":"no card"}',X'9B48CF6E36D18874DD10C889E04122A1686613F4E5C4F7936D0892BFEAFD7E72');
INSERT INTO "facts" VALUES('hall',14,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'Started','20261123-A003','{"at":"2026-11-23T09:00:00Z","ticket":"20261123-A003"}',X'B5782C6CC8CA68E49085427082E14AD2906E73B875F49CCABB91D2F3070DC188');
INSERT INTO "facts" VALUES('hall',15,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'Served','20261123-A003','{"at":"2026-11-23T09:00:00Z","ticket":"20261123-A003","outcome":"done"}',X'10085B177451F5031A7473E7D05BEC49D1A4F0C7C016D1B556F43E40EFDD571A');
INSERT INTO "facts" VALUES('hall',16,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'Called','20261123-A001','{"at":"2026-11-23T09:00:00Z","ticket":"20261123-A001","counter":"1","operator":"operator 1","because":{"rule":"accumulating_priority","chosen":{"ticket":"20261123-A001","number":"A001","rank":"walk_in","waited_seconds":0.0,"points":0.0},"others":[{"ticket":"20261123-B001","number":"B001","rank":"booked","waited_seconds":0.0,"points":0.0}],"reason":null}}',X'DE316C5704825022D898745D4CD92BD78182F54A391F9D4FA02806FD2C92E3B8');
INSERT INTO "facts" VALUES('hall',17,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'Called','20261123-A002','{"at":"2026-11-23T09:00:00Z","ticket":"20261123-A002","counter":"2","operator":"operator 2","because":{"rule":"accumulating_priority","chosen":{"ticket":"20261123-A002","number":"A002","rank":"walk_in","waited_seconds":0.0,"points":0.0},"others":[],"reason":null}}',X'C6C1CAC2B360D3BB1CB236B5813EF571592BCDA23281EB4B05C54B7E64BDBBF4');
INSERT INTO "facts" VALUES('hall',18,'2026-11-23T09:00:00.000000+00:00','Zoë "at the counter"',NULL,'Missed','20261123-A001','{"at":"2026-11-23T09:00:00Z","ticket":"20261123-A001"}',X'0B537E30DAFAB329919A97E5FD6ADD22BCD418404F88DA9FE6BEE79FE71D278A');
INSERT INTO "facts" VALUES('hall',19,'2026-11-23T09:00:05.000000+00:00','Zoë "at the counter"',NULL,'Missed','20261123-A002','{"at":"2026-11-23T09:00:05Z","ticket":"20261123-A002"}',X'7DF7154EB4B963899A8C102F8E795870959EBD8510096D77E96890EA09E60FB3');
INSERT INTO "facts" VALUES('hall',20,'2026-11-23T09:00:05.000000+00:00','Zoë "at the counter"',NULL,'Undone','20261123-A002','{"at":"2026-11-23T09:00:05Z","ticket":"20261123-A002","counter":"2","step":"missed"}',X'F9D2B60E008CAEA3FE3BF4E0C82526794DB5073AAC63D0119D31A41175798513');
INSERT INTO "facts" VALUES('hall',21,'2026-11-23T09:20:05.000000+00:00','Zoë "at the counter"',NULL,'Warned','20261123-B001','{"at":"2026-11-23T09:20:05Z","ticket":"20261123-B001","due":"2026-11-23T09:10:00Z","since":"2026-11-23T09:06:40Z","scene":{"counters_open":3,"counters_paused":0,"counters_able":2,"counters_idle":2,"waiting":1,"waiting_in_office":1,"issued":0,"issued_in_office":0}}',X'8B78E35BC47026462F940B59C83925AB3E8C7CAADBED6F8A547F43F686593298');
INSERT INTO "facts" VALUES('hall',22,'2026-11-23T09:20:05.000000+00:00','Zoë "at the counter"',NULL,'CounterIdle',NULL,'{"at":"2026-11-23T09:20:05Z","counter":"1","ticket":"20261123-B001","since":"2026-11-23T09:00:00Z","state":"open"}',X'46113F3A8CB0E26D1682E2EB33201A021B89003C31D7702578CE2C5EE72C3729');
INSERT INTO "facts" VALUES('hall',23,'2026-11-23T09:20:05.000000+00:00','Zoë "at the counter"',NULL,'CounterIdle',NULL,'{"at":"2026-11-23T09:20:05Z","counter":"3","ticket":"20261123-B001","since":"2026-11-23T09:00:00Z","state":"open"}',X'E2A55240D54CB302EDD86C724348AA7A7FC246E266DAEB192804D9F693AC2982');
INSERT INTO "facts" VALUES('hall',24,'2026-11-23T09:20:05.000000+00:00','Zoë "at the counter"',NULL,'Breached','20261123-B001','{"at":"2026-11-23T09:20:05Z","ticket":"20261123-B001","due":"2026-11-23T09:10:00Z","scene":{"counters_open":3,"counters_paused":0,"counters_able":2,"counters_idle":2,"waiting":1,"waiting_in_office":1,"issued":0,"issued_in_office":0}}',X'4E84660F6D69F1F01DEEE8EE417F156D31152EA8E9CFE4ADF550C410976F8BCA');
INSERT INTO "facts" VALUES('hall',25,'2026-11-23T09:20:05.000000+00:00','Zoë "at the counter"',NULL,'Escalated','20261123-B001','{"at":"2026-11-23T09:20:05Z","ticket":"20261123-B001","due":"2026-11-23T09:10:00Z","step":0,"role":"operator"}',X'9726B4210E7E9B05EC34678FFA6D5769ECEC2EBB97FC8A0321C46F6784F371F6');
INSERT INTO "facts" VALUES('hall',26,'2026-11-23T09:20:05.000000+00:00','Zoë "at the counter"',NULL,'Escalated','20261123-B001','{"at":"2026-11-23T09:20:05Z","ticket":"20261123-B001","due":"2026-11-23T09:10:00Z","step":1,"role":"administrator"}',X'49CA827A6FFE6AEDBFD3BF52B8556C1661844E66DAD11273DCD1ECF5CE93047E');
INSERT INTO "facts" VALUES('hall',27,'2026-11-23T09:20:05.000000+00:00','Zoë "at the counter"',NULL,'Escalated','20261123-B001','{"at":"2026-11-23T09:20:05Z","ticket":"20261123-B001","due":"2026-11-23T09:10:00Z","step":2,"role":"director"}',X'94D8350FE85DBDEAE32B49B47FA8B89F4F86D70BF7536FC5DF16326AB728899B');
CREATE TABLE halls (
	office_id TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	hash BLOB NOT NULL, 
	state TEXT, 
	CONSTRAINT pk_halls PRIMARY KEY (office_id)
)
 WITHOUT ROWID

;
INSERT INTO "halls" VALUES('hall',27,X'94D8350FE85DBDEAE32B49B47FA8B89F4F86D70BF7536FC5DF16326AB728899B','{"seq":27,"last_at":"2026-11-23T09:20:05Z","office":{"id":"hall","name":{"en":"The hall"},"zone":"UTC","languages":["ru","en"],"hotline":null,"groups":[{"id":"papers","name":{"en":"Papers"}}],"services":[{"id":"passport","letter":"A","name":{"en":"Passports"},"group":"papers","limits":{"walk_in":900,"booked":300,"walk_in_warning":null,"booked_warning":null}},{"id":"land","letter":"B","name":{"en":"Land"},"group":null,"limits":{"walk_in":1800,"booked":600,"walk_in_warning":null,"booked_warning":null}},{"id":"cash","letter":"C","name":{"en":"Cash desk"},"group":null,"limits":{"walk_in":900,"booked":300,"walk_in_warning":null,"booked_warning":null}}],"counters":[{"id":"1","name":{"en":"Counter 1"},"services":["passport","land"]},{"id":"2","name":{"en":"Counter 2"},"services":["passport"]},{"id":"3","name":{"en":"Counter 3"},"services":["land","cash"]}],"categories":[{"id":"veteran","name":{"en":"Veteran"},"basis":{"en":"Veteran''s card"}}],"hours":[{"weekday":0,"opens":"09:00:00","closes":"18:00:00"},{"weekday":1,"opens":"09:00:00","closes":"18:00:00"},{"weekday":2,"opens":"09:00:00","closes":"18:00:00"},{"weekday":3,"opens":"09:00:00","closes":"18:00:00"},{"weekday":4,"opens":"09:00:00","closes":"18:00:00"}],"discipline":"accumulating_priority","booked_weight":5,"recall_limit":2,"undo_seconds":60,"closes_after_minutes":180,"escalation":[{"role":"operator","after_seconds":0},{"role":"administrator","after_seconds":180},{"role":"director","after_seconds":600}],"idle_seconds":60,"long_pause_seconds":600,"more_time_seconds":600,"more_time_limit":1,"offline_numbers":25},"day":"2026-11-23","day_is_open":true,"day_by_hand":false,"day_opened_at":"2026-11-23T09:00:00Z","numbers":{"A":3,"B":1},"closed_services":{},"sessions":[{"counter":"1","state":"open","since":"2026-11-23T08:59:59Z","operator":"operator 1","reason":null,"ticket":null,"before_step":{"id":"20261123-A001","letter":"A","serial":1,"day":"2026-11-23","issued_offline":false,"issued_service":"passport","service":"passport","channel":"walk_in","category":null,"category_verified":false,"category_withdrawn":false,"stops":[],"only_counter":null,"ahead_at_issue":0,"issued_at":"2026-11-23T09:00:00Z","clock_start":"2026-11-23T09:00:00Z","clock":{"limit":"PT900S","waited":"P0D","since":null},"state":"called","state_since":"2026-11-23T09:00:00Z","counter":"1","operator":"operator 1","recalls":0,"calls":1,"first_called_at":"2026-11-23T09:00:00Z","last_called_at":"2026-11-23T09:00:00Z","started_at":null,"ended_at":null,"wait_to_call":"P0D","wait_to_start":null,"answering":"P0D","serving":"P0D","outcome":null,"held_by":null,"held_until":null,"breached_due":null,"breach_recorded_at":null,"warning_seconds":600,"warned_at":null,"escalated":0,"acknowledged":null,"relieved_at":null,"wait_told":true,"language":null,"shown_at":null,"spoken_at":null,"asked_for_time":0,"stars":null},"stepped_at":"2026-11-23T09:00:00Z","idle_since":null},{"counter":"2","state":"open","since":"2026-11-23T08:59:59Z","operator":"operator 2","reason":null,"ticket":"20261123-A002","before_step":null,"stepped_at":null,"idle_since":null},{"counter":"3","state":"open","since":"2026-11-23T09:00:00Z","operator":"operator 1","reason":null,"ticket":null,"before_step":null,"stepped_at":null,"idle_since":null}],"tickets":[{"id":"20261123-A001","letter":"A","serial":1,"day":"2026-11-23","issued_offline":false,"issued_service":"passport","service":"passport","channel":"walk_in","category":null,"category_verified":false,"category_withdrawn":false,"stops":[],"only_counter":null,"ahead_at_issue":0,"issued_at":"2026-11-23T09:00:00Z","clock_start":"2026-11-23T09:00:00Z","clock":{"limit":"PT900S","waited":"P0D","since":null},"state":"missed","state_since":"2026-11-23T09:00:00Z","counter":"1","operator":"operator 1","recalls":0,"calls":1,"first_called_at":"2026-11-23T09:00:00Z","last_called_at":"2026-11-23T09:00:00Z","started_at":null,"ended_at":"2026-11-23T09:00:00Z","wait_to_call":"P0D","wait_to_start":null,"answering":"P0D","serving":"P0D","outcome":null,"held_by":null,"held_until":null,"breached_due":null,"breach_recorded_at":null,"warning_seconds":600,"warned_at":null,"escalated":0,"acknowledged":null,"relieved_at":null,"wait_told":true,"language":null,"shown_at":null,"spoken_at":null,"asked_for_time":0,"stars":null},{"id":"20261123-A002","letter":"A","serial":2,"day":"2026-11-23","issued_offline":false,"issued_service":"passport","service":"passport","channel":"walk_in","category":null,"category_verified":false,"category_withdrawn":false,"stops":[],"only_counter":null,"ahead_at_issue":1,"issued_at":"2026-11-23T09:00:00Z","clock_start":"2026-11-23T09:00:00Z","clock":{"limit":"PT900S","waited":"P0D","since":null},"state":"called","state_since":"2026-11-23T09:00:00Z","counter":"2","operator":"operator 2","recalls":0,"calls":1,"first_called_at":"2026-11-23T09:00:00Z","last_called_at":"2026-11-23T09:00:00Z","started_at":null,"ended_at":null,"wait_to_call":"P0D","wait_to_start":null,"answering":"P0D","serving":"P0D","outcome":null,"held_by":null,"held_until":null,"breached_due":null,"breach_recorded_at":null,"warning_seconds":600,"warned_at":null,"escalated":0,"acknowledged":null,"relieved_at":null,"wait_told":true,"language":null,"shown_at":null,"spoken_at":null,"asked_for_time":0,"stars":null},{"id":"20261123-B001","letter":"B","serial":1,"day":"2026-11-23","issued_offline":false,"issued_service":"land","service":"land","channel":"booked","category":null,"category_verified":false,"category_withdrawn":false,"stops":[],"only_counter":null,"ahead_at_issue":0,"issued_at":"2026-11-23T09:00:00Z","clock_start":"2026-11-23T09:00:00Z","clock":{"limit":"PT600S","waited":"P0D","since":"2026-11-23T09:00:00Z"},"state":"waiting","state_since":"2026-11-23T09:00:00Z","counter":null,"operator":null,"recalls":0,"calls":0,"first_called_at":null,"last_called_at":null,"started_at":null,"ended_at":null,"wait_to_call":null,"wait_to_start":null,"answering":"P0D","serving":"P0D","outcome":null,"held_by":null,"held_until":null,"breached_due":"2026-11-23T09:10:00Z","breach_recorded_at":"2026-11-23T09:20:05Z","warning_seconds":400,"warned_at":"2026-11-23T09:06:40Z","escalated":3,"acknowledged":null,"relieved_at":null,"wait_told":false,"language":null,"shown_at":null,"spoken_at":null,"asked_for_time":0,"stars":null}],"ended":{"20261123-A003":"served"},"tallies":[[["breached","land","booked"],1],[["issued","land","booked"],1],[["issued","passport","walk_in"],3],[["met","passport","walk_in"],3],[["service_seconds","done","30"],1],[["service_seconds","done","sum"],0.0],[["wait_seconds","walk_in","called","30"],3],[["wait_seconds","walk_in","called","sum"],0.0]],"issued_lately":{},"calls":[{"seq":12,"at":"2026-11-23T09:00:00Z","ticket":"20261123-A003","number":"A003","service":"passport","counter":"1","rank":"out_of_turn","clock_start":"2026-11-23T09:00:00Z","again":false,"by_choice":false},{"seq":16,"at":"2026-11-23T09:00:00Z","ticket":"20261123-A001","number":"A001","service":"passport","counter":"1","rank":"walk_in","clock_start":"2026-11-23T09:00:00Z","again":false,"by_choice":false},{"seq":17,"at":"2026-11-23T09:00:00Z","ticket":"20261123-A002","number":"A002","service":"passport","counter":"2","rank":"walk_in","clock_start":"2026-11-23T09:00:00Z","again":false,"by_choice":false}],"ratings":{},"tallies_at_opening":[],"leases":[],"day_closed_at":null}');
CREATE TABLE remarks (
	office_id TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	ticket_id TEXT NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	kind TEXT NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_remarks PRIMARY KEY (office_id, seq)
)
 WITHOUT ROWID

;
CREATE TABLE stamps (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_stamps PRIMARY KEY (name)
);
INSERT INTO "stamps" VALUES('clock','real');
INSERT INTO "stamps" VALUES('visit secret','0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE tickets (
	office_id TEXT NOT NULL, 
	day DATE NOT NULL, 
	number TEXT NOT NULL, 
	ticket_id TEXT NOT NULL, 
	issued_service TEXT NOT NULL, 
	service TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	category TEXT, 
	category_verified BOOLEAN NOT NULL, 
	category_withdrawn BOOLEAN NOT NULL, 
	state TEXT NOT NULL, 
	counter_id TEXT, 
	operator TEXT, 
	outcome TEXT, 
	ahead_at_issue INTEGER NOT NULL, 
	calls INTEGER NOT NULL, 
	recalls INTEGER NOT NULL, 
	issued_at VARCHAR(32) NOT NULL, 
	clock_start VARCHAR(32) NOT NULL, 
	limit_seconds INTEGER NOT NULL, 
	due_at VARCHAR(32), 
	breached_at VARCHAR(32), 
	breach_recorded_at VARCHAR(32), 
	first_called_at VARCHAR(32), 
	last_called_at VARCHAR(32), 
	started_at VARCHAR(32), 
	ended_at VARCHAR(32), 
	wait_to_call_seconds DOUBLE, 
	wait_to_start_seconds DOUBLE, 
	waited_seconds DOUBLE NOT NULL, 
	serving_seconds DOUBLE NOT NULL, 
	seq BIGINT NOT NULL, 
	CONSTRAINT pk_tickets PRIMARY KEY (office_id, day, number), 
	CONSTRAINT ck_tickets_ended_has_its_end CHECK ((state IN ('served', 'missed', 'left', 'unserved')) = (ended_at IS NOT NULL))
)
 WITHOUT ROWID

;
INSERT INTO "tickets" VALUES('hall','2026-11-23','A001','20261123-A001','passport','passport','walk_in',NULL,0,0,'missed','1','operator 1',NULL,0,1,0,'2026-11-23T09:00:00.000000+00:00','2026-11-23T09:00:00.000000+00:00',900,NULL,NULL,NULL,'2026-11-23T09:00:00.000000+00:00','2026-11-23T09:00:00.000000+00:00',NULL,'2026-11-23T09:00:00.000000+00:00',0.0,NULL,0.0,0.0,18);
INSERT INTO "tickets" VALUES('hall','2026-11-23','A002','20261123-A002','passport','passport','walk_in',NULL,0,0,'called','2','operator 2',NULL,1,1,0,'2026-11-23T09:00:00.000000+00:00','2026-11-23T09:00:00.000000+00:00',900,NULL,NULL,NULL,'2026-11-23T09:00:00.000000+00:00','2026-11-23T09:00:00.000000+00:00',NULL,NULL,0.0,NULL,0.0,0.0,20);
INSERT INTO "tickets" VALUES('hall','2026-11-23','A003','20261123-A003','passport','passport','walk_in','veteran',0,1,'served','1','operator 1','done',2,1,0,'2026-11-23T09:00:00.000000+00:00','2026-11-23T09:00:00.000000+00:00',900,NULL,NULL,NULL,'2026-11-23T09:00:00.000000+00:00','2026-11-23T09:00:00.000000+00:00','2026-11-23T09:00:00.000000+00:00','2026-11-23T09:00:00.000000+00:00',0.0,0.0,0.0,0.0,15);
INSERT INTO "tickets" VALUES('hall','2026-11-23','B001','20261123-B001','land','land','booked',NULL,0,0,'waiting',NULL,NULL,NULL,0,0,0,'2026-11-23T09:00:00.000000+00:00','2026-11-23T09:00:00.000000+00:00',600,'2026-11-23T09:10:00.000000+00:00','2026-11-23T09:10:00.000000+00:00','2026-11-23T09:20:05.000000+00:00',NULL,NULL,NULL,NULL,NULL,NULL,0.0,0.0,27);
CREATE INDEX ix_facts_ticket ON facts (office_id, ticket_id, seq) WHERE ticket_id IS NOT NULL;
CREATE UNIQUE INDEX uq_tickets_one_visitor_per_counter ON tickets (office_id, counter_id) WHERE state IN ('called', 'serving');
COMMIT;
