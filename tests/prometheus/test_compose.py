"""What `compose.yaml` names is there, and the services find each other."""

import re

import yaml

from app.settings import Settings
from tests.docs.pages import ROOT
from tests.prometheus.programs import ALERTMANAGER, COMPOSE, CONFIGURATION, DEPLOY

SERVICES = COMPOSE["services"]


def mounts(service: str) -> dict[str, str]:
    """Where in the container each volume or path is, by where it comes from."""
    return dict(volume.removesuffix(":ro").split(":") for volume in SERVICES[service].get("volumes", ()))


def test_every_path_exists_and_every_volume_is_declared() -> None:
    sources = {source for service in SERVICES for source in mounts(service)}

    assert {source for source in sources if source.startswith(".") and not (ROOT / source).exists()} == set()
    assert {source for source in sources if not source.startswith(".")} == COMPOSE["volumes"].keys()
    assert (ROOT / SERVICES["app"]["build"] / "Dockerfile").exists()


def test_programs_find_their_files_where_they_are_mounted() -> None:
    for service, source in (("prometheus", CONFIGURATION), ("alertmanager", ALERTMANAGER)):
        mounted = mounts(service)[f"./{source.relative_to(ROOT)}"]
        assert f"--config.file={mounted}" in SERVICES[service]["command"]
    # The rules are looked for beside the configuration.
    assert mounts("prometheus")["./deploy/prometheus/rules"] == "/etc/prometheus/rules"
    assert yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))["rule_files"] == ["rules/*.yml"]
    [provider] = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/fifteen.yml").read_text(encoding="utf-8"))[
        "providers"
    ]
    assert mounts("grafana")["./deploy/grafana/dashboards"] == provider["options"]["path"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (DEPLOY / "grafana/dashboards" / home.removeprefix(f"{provider['options']['path']}/")).exists()


def test_every_address_is_a_services_name() -> None:
    files = [ROOT / "compose.yaml", CONFIGURATION, *DEPLOY.glob("grafana/provisioning/*/*.yml")]
    text = "\n".join(re.sub(r"#.*", "", file.read_text(encoding="utf-8")) for file in files)

    named = set(re.findall(r"(?:@|//|\[)([a-z]+)[:/]\w", text))

    assert named == {"app", "alertmanager", "database", "prometheus"}
    assert named <= SERVICES.keys()


def test_the_server_is_given_only_settings_that_it_has() -> None:
    given = SERVICES["app"]["environment"]

    assert given.keys() <= {f"FIFTEEN_{name.upper()}" for name in Settings.model_fields}
