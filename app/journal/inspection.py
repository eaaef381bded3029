"""The schema itself: whether every column, key, index and rule is the one that the tables were made with."""

from sqlalchemy import Connection, MetaData, create_engine, inspect, text

from app.journal.difference import Difference
from app.journal.migrating import HEAD
from app.journal.schema import metadata

SQLITE_RULES = """
    SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type || ' not null ' || c."notnull"
           || ' default ' || coalesce(c.dflt_value, 'none') || ' key ' || c.pk AS rule
    FROM sqlite_schema AS t, pragma_table_xinfo(t.name) AS c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'
    UNION ALL
    SELECT 'index ' || CASE l.origin WHEN 'c' THEN l.name ELSE l.origin || ' of ' || t.name END || ' unique '
           || l."unique" || ' partial ' || l.partial || ' on '
           || (SELECT group_concat(coalesce(x.name, '?') || ' ' || x."desc" || ' ' || x.coll || ' ' || x.key)
               FROM pragma_index_xinfo(l.name) AS x)
    FROM sqlite_schema AS t, pragma_index_list(t.name) AS l WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'
    UNION ALL
    SELECT type || ' ' || name FROM sqlite_schema WHERE type IN ('trigger', 'view')
"""

POSTGRESQL_RULES = """
    WITH ours AS (
        SELECT c.oid, c.relname FROM pg_class AS c
        WHERE c.relnamespace = CAST(:schema AS text)::regnamespace AND c.relkind = 'r' AND c.relname = ANY(:tables)
    )
    SELECT 'column ' || o.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
           || ' not null ' || a.attnotnull || ' collation ' || a.attcollation
           || ' default ' || coalesce(pg_get_expr(d.adbin, d.adrelid), 'none') AS rule
    FROM ours AS o JOIN pg_attribute AS a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = o.oid AND d.adnum = a.attnum
    UNION ALL
    SELECT 'index ' || split_part(pg_get_indexdef(i.indexrelid), ' ON ', 1)
           || ' of ' || o.relname || ' ' || split_part(pg_get_indexdef(i.indexrelid), ' USING ', 2)
           || ' valid ' || (i.indisvalid AND i.indisready)
    FROM ours AS o JOIN pg_index AS i ON i.indrelid = o.oid
    UNION ALL
    SELECT 'constraint ' || k.conname || ' of ' || o.relname || ' ' || pg_get_constraintdef(k.oid)
           || ' valid ' || k.convalidated
    FROM ours AS o JOIN pg_constraint AS k ON k.conrelid = o.oid AND k.contype <> 'n'
    UNION ALL
    SELECT 'trigger ' || t.tgname || ' of ' || o.relname
    FROM ours AS o JOIN pg_trigger AS t ON t.tgrelid = o.oid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'rule ' || r.rulename || ' of ' || o.relname FROM ours AS o JOIN pg_rewrite AS r ON r.ev_class = o.oid
    UNION ALL
    SELECT 'row security of ' || o.relname
    FROM ours AS o JOIN pg_class AS c ON c.oid = o.oid WHERE c.relrowsecurity OR c.relforcerowsecurity
"""


def compare_schema(connection: Connection) -> None:
    """Nothing, or a Difference: a rule of the schema that is gone, has changed, or is too many."""
    revisions = [*connection.execute(text("SELECT version_num FROM alembic_version")).scalars()]
    if revisions != [HEAD]:
        raise Difference(f"the schema calls itself {', '.join(revisions) or 'nothing'} and should be {HEAD}")
    found, expected = _of_sqlite(connection) if connection.dialect.name == "sqlite" else _of_postgresql(connection)
    if missing := sorted(expected - found):
        raise Difference(f"the schema has lost, or has otherwise: {missing[0]}")
    # One more index, which a report may need, forbids nothing; a unique one does.
    if added := sorted(rule for rule in found - expected if not _is_harmless(rule)):
        raise Difference(f"the schema has something that it was not made with: {added[0]}")


def _of_sqlite(connection: Connection) -> tuple[set[str], set[str]]:
    reference = create_engine("sqlite://")
    with reference.begin() as memory:
        metadata.create_all(memory)
        memory.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        expected = _sqlite_rules(memory)
    reference.dispose()
    return _sqlite_rules(connection), expected


def _of_postgresql(connection: Connection) -> tuple[set[str], set[str]]:
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    found = _postgresql_rules(connection, schema)
    # Made anew where only this transaction sees it: the server itself knows how it writes rules down.
    reference = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        table.to_metadata(reference, schema="pg_temp")
    trial = connection.begin_nested()
    reference.create_all(connection, checkfirst=False)
    temporary = connection.exec_driver_sql("SELECT pg_my_temp_schema()::regnamespace::text").scalar_one()
    expected = _postgresql_rules(connection, temporary)
    trial.rollback()
    return found, expected


def _sqlite_rules(connection: Connection) -> set[str]:
    inspector = inspect(connection)
    rules = {*connection.exec_driver_sql(SQLITE_RULES).scalars()}
    for table in metadata.tables:
        for check in inspector.get_check_constraints(table):
            rules.add(f"check {check['name']} of {table}: {check['sqltext']}")
        for index in inspector.get_indexes(table):
            rules.add(f"index {index['name']} of {table} where {index.get('dialect_options', {}).get('sqlite_where')}")
        rules.add(f"options of {table}: {inspector.get_table_options(table)}")
    return rules


def _postgresql_rules(connection: Connection, schema: str) -> set[str]:
    ours = {"schema": schema, "tables": [*metadata.tables]}
    return {*connection.execute(text(POSTGRESQL_RULES), ours).scalars()}


def _is_harmless(rule: str) -> bool:
    return rule.startswith("index ") and "UNIQUE" not in rule and " unique 1" not in rule
