"""Links into Qualtrics lead to the brand's own host and to that survey, whatever its ids are; and no personal link is ever one."""

from __future__ import annotations

import pytest

from bot.deep_links import DeepLinks, checked_template
from bot.page import Link
from tests.unit.core.examples import an_integration

ACME = an_integration(brand_id="Acme")


def test_links_lead_to_the_survey_at_its_brands_host() -> None:
    links = DeepLinks()
    assert links.to_results(ACME, "SV_1") == "https://acme.qualtrics.com/responses/#/surveys/SV_1"
    assert links.to_distributions(ACME, "SV_1", "EMD_1") == "https://acme.qualtrics.com/responses/#/surveys/SV_1"
    assert links.to_builder(ACME, "SV_1") == "https://acme.qualtrics.com/survey-builder/SV_1/edit"


@pytest.mark.parametrize("brand_id", [None, "", "evil.example/", "a b", "-x", "@evil"])
def test_what_is_no_brand_gives_the_data_centres_host(brand_id: str | None) -> None:
    assert DeepLinks().to_results(an_integration(brand_id=brand_id), "SV_1") == "https://fra1.qualtrics.com/responses/#/surveys/SV_1"


@pytest.mark.parametrize(
    ("told", "host"),
    [
        ("research.yul1.qualtrics.com", "research.yul1.qualtrics.com"),
        ("surveys.acme.example", "surveys.acme.example"),
        ("acme.example", "acme.qualtrics.com"),
        ("evilqualtrics.com", "acme.qualtrics.com"),
        ("acme.qualtrics.com.evil.example", "acme.qualtrics.com"),
    ],
)
def test_the_host_that_qualtrics_tells_is_followed_below_its_own_name_and_where_an_operator_allows_it(told: str, host: str) -> None:
    links = DeepLinks(hosts=frozenset({"surveys.acme.example"}), builder=checked_template("https://fixed.example/{survey}"))
    integration = an_integration(brand_id="Acme", brand_host=told)
    assert links.to_results(integration, "SV_1") == f"https://{host}/responses/#/surveys/SV_1"
    assert links.to_builder(integration, "SV_1") == "https://fixed.example/SV_1"


def test_a_template_that_was_set_is_filled() -> None:
    links = DeepLinks(distributions=checked_template("https://surveys.acme.example/d/{survey}?only={distribution}"))
    assert links.to_distributions(ACME, "SV_1", "EMD_1") == "https://surveys.acme.example/d/SV_1?only=EMD_1"


@pytest.mark.parametrize("survey_id", ["", "SV_1/../../x", "SV 1", "SV_1?Q_DL=1", "{host}", "S" * 99])
def test_what_is_no_id_gives_no_link(survey_id: str) -> None:
    assert DeepLinks().to_results(ACME, survey_id) is None
    assert survey_id == "" or DeepLinks().to_distributions(ACME, "SV_1", survey_id) is None


@pytest.mark.parametrize(
    "template",
    [
        "",
        "http://{host}/x",
        "https://{host}/{answer}",
        "https://{host.a}/x",
        "https://{survey}/x",
        "https://a b/",
        "https://u@{host}/",
        "https://{",
    ],
)
def test_a_template_that_leads_elsewhere_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="must be an https"):
        checked_template(template)


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.qualtrics.com/",
        "javascript:alert(1)",
        "https://",
        "https://acme@evil.example/",
        "https://acme.qualtrics.com/jfe/form/SV_1",
        "https://survey.example/x?Q_DL=canary",
        "https://acme.qualtrics.com/\u202e",
        "https://acme.qualtrics.com/a b",
    ],
)
def test_a_link_that_is_not_safe_or_is_somebodys_own_cannot_be_made(url: str) -> None:
    with pytest.raises(ValueError, match="asks who") as raised:
        Link(label="x", url=url)
    assert "canary" not in str(raised.value)
    assert Link(label="x", url="http://localhost:8400/qualtrics").url
