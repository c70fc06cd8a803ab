"""An Upwork record becomes the guide's values, or a hold that names what is missing."""

import json

import pytest
from msgspec import structs
from replacing import replace
from story import AVA, END, FRONTEND, RULES, START

from domain.mapping import DAY, YEAR, cents, map_engagement, proxy_email
from domain.rules import Rules
from domain.values import ContractorDraft, Hold, JobDraft, Pay, Person, Terms, Window


def mapped(terms: Terms = FRONTEND, rules: Rules = RULES, client: str | None = None, names=None):
    return map_engagement("9001", "fl_12345", client, terms, names, rules)


def codes(terms: Terms = FRONTEND, rules: Rules = RULES, client: str | None = None) -> list[str]:
    return [hold.code for hold in mapped(terms, rules, client).holds]


class TestTheGuidesExample:
    def test_the_contractor_is_the_guides(self) -> None:
        assert mapped().contractor == ContractorDraft(
            first_name="Ava",
            last_name="Nguyen",
            email="fl_12345@relay.yourdomain.com",
            country="US",
            region="CA",
            city="San Francisco",
        )

    def test_the_job_is_the_guides(self) -> None:
        assert mapped().job == JobDraft(
            name="Contract 9001 — Frontend Developer",
            description="Build dashboard UI and integrate GraphQL APIs",
            entity="en_abc123",
            category_code="SOFTWARE_ENGINEERING_CONTRACT",
            wage=7500,
            wage_type="hourly",
            region="CA",
        )

    def test_the_window_is_the_guides_to_the_second_and_nothing_is_held(self) -> None:
        assert mapped().window == Window(1764628800, 1772448000)
        assert mapped().holds == ()
        assert mapped().notes == ()


class TestNames:
    def test_a_persons_decision_wins_over_all_upwork_shows(self) -> None:
        terms = replace(FRONTEND, person=Person(display_name="Madonna", first_name="Not", last_name="Her"))
        contractor = mapped(terms, names=("Madonna Louise", "Ciccone")).contractor
        assert contractor is not None
        assert (contractor.first_name, contractor.last_name) == ("Madonna Louise", "Ciccone")

    def test_a_name_in_doubt_holds_the_contractor_and_nothing_else(self) -> None:
        result = mapped(replace(FRONTEND, person=replace(AVA, display_name="Ava N.")))
        assert [hold.code for hold in result.holds] == ["name_unclear"]
        assert result.contractor is None
        assert result.job is not None


class TestEmail:
    def test_the_freelancers_own_email_is_used_when_upwork_gives_it(self) -> None:
        contractor = mapped(replace(FRONTEND, person=replace(AVA, email="ava@nguyen.example"))).contractor
        assert contractor is not None
        assert contractor.email == "ava@nguyen.example"

    @pytest.mark.parametrize("shown", [None, "", "n/a", "ava", "ava@", "@nguyen.example", "Ava <a@n.ex>"])
    def test_what_is_no_email_counts_as_missing(self, shown: str | None) -> None:
        contractor = mapped(replace(FRONTEND, person=replace(AVA, email=shown))).contractor
        assert contractor is not None
        assert contractor.email == "fl_12345@relay.yourdomain.com"

    @pytest.mark.parametrize("id", ["fl_12345", "1181921839933591552", "~01a2b3", "a.b", "a-b+c"])
    def test_the_proxy_is_the_freelancers_id_at_the_domain(self, id: str) -> None:
        assert proxy_email(id, RULES) == f"{id}@relay.yourdomain.com"

    @pytest.mark.parametrize("id", ["a b", "a@b", ".a", "a..b", "ä", "7" * 65, 'a"b', ""])
    def test_an_id_that_no_address_can_hold_has_a_proxy_of_its_own_all_the_same(self, id: str) -> None:
        proxy = proxy_email(id, RULES)
        assert isinstance(proxy, str)
        mailbox, _, domain = proxy.partition("@")
        assert mailbox.startswith("id-")
        assert mailbox.removeprefix("id-").isalnum()
        assert len(mailbox) <= 64
        assert domain == "relay.yourdomain.com"
        assert proxy == proxy_email(id, RULES)
        assert proxy != proxy_email(f"{id} ", RULES)

    def test_the_proxy_hangs_on_nothing_but_the_freelancer(self) -> None:
        other = replace(FRONTEND, title="Another", person=replace(AVA, display_name="Ava B. Nguyen"))
        first, second = mapped().contractor, mapped(other).contractor
        assert first is not None
        assert second is not None
        assert first.email == second.email

    def test_without_an_email_and_a_proxy_domain_nobody_can_be_created(self) -> None:
        result = mapped(rules=replace(RULES, proxy_email_domain=None))
        assert result.contractor is None
        assert [h.code for h in result.holds] == ["email_missing"]


def test_a_state_goes_to_contractor_and_job_as_two_letters() -> None:
    result = mapped(replace(FRONTEND, person=replace(AVA, country="United States", region="California")))
    assert result.contractor is not None
    assert result.job is not None
    assert (result.contractor.country, result.contractor.region, result.job.region) == ("US", "CA", "CA")


def test_a_country_nobody_knows_holds_nothing_up() -> None:
    result = mapped(replace(FRONTEND, person=replace(AVA, country="Freedonia")))
    assert result.holds == ()
    assert result.contractor is not None
    assert result.contractor.country is None


class TestPay:
    @pytest.mark.parametrize(
        ("amount", "wage"),
        [
            *[("75", 7500), ("75.0", 7500), ("75.00", 7500), ("75.000", 7500), (" 75 ", 7500)],
            *[("19.99", 1999), ("1.1", 110), ("1.10", 110), ("8.41", 841), ("4.35", 435)],
            *[("1", 100), ("1e3", 100_000), ("1.5E2", 15_000), ("10000000", 1_000_000_000)],
        ],
    )
    def test_a_wage_is_exact_cents(self, amount: str, wage: int) -> None:
        assert cents(Pay("hourly", amount)) == wage

    @pytest.mark.parametrize(
        ("amount", "code"),
        [
            *[("75.005", "pay_not_exact"), ("0.001", "pay_not_exact"), ("1E-3", "pay_not_exact")],
            *[("75." + "0" * 15 + "1", "pay_not_exact"), ("75." + "0" * 40 + "1", "pay_not_exact")],
            *[("NaN", "pay_not_exact"), ("sNaN", "pay_not_exact"), ("Infinity", "pay_not_exact")],
            *[("", "pay_not_exact"), ("a lot", "pay_not_exact"), ("1,000", "pay_not_exact")],
            *[("1_000", "pay_not_exact"), ("٧٥", "pay_not_exact"), ("1e999999999", "pay_not_exact")],
            *[("0.1", "pay_out_of_range"), ("0", "pay_out_of_range"), ("0.99", "pay_out_of_range")],
            *[("-75", "pay_out_of_range"), ("10000000.01", "pay_out_of_range"), ("1e99", "pay_out_of_range")],
        ],
    )
    def test_a_wage_that_is_not_one_is_held_with_its_reason(self, amount: str, code: str) -> None:
        held = cents(Pay("hourly", amount))
        assert isinstance(held, Hold)
        assert held.code == code

    def test_a_contract_without_pay_is_held(self) -> None:
        assert codes(replace(FRONTEND, pay=None)) == ["pay_missing"]

    def test_only_dollars_are_insured(self) -> None:
        assert codes(replace(FRONTEND, pay=Pay("hourly", "75", "EUR"))) == ["pay_currency"]

    @pytest.mark.parametrize("currency", [None, "USD", "usd"])
    def test_no_currency_is_the_guides_dollars(self, currency: str | None) -> None:
        assert cents(Pay("hourly", "75", currency)) == 7500

    def test_a_fixed_budget_is_a_flat_fee(self) -> None:
        job = mapped(replace(FRONTEND, pay=Pay("flatfee", "2500.5", "USD"))).job
        assert job is not None
        assert (job.wage, job.wage_type) == (250_050, "flatfee")


class TestClientsAndCategories:
    rules = replace(
        RULES,
        clients={"org_7": "en_seven", "*": "en_rest"},
        categories={"Web, Mobile & Software Dev": "jc_software", "531770282580668418": "jc_by_id"},
    )

    @pytest.mark.parametrize(
        ("client", "entity"), [("org_7", "en_seven"), ("org_8", "en_rest"), (None, "en_rest")]
    )
    def test_a_client_finds_its_entity_or_the_default(self, client: str | None, entity: str) -> None:
        job = mapped(rules=self.rules, client=client).job
        assert job is not None
        assert job.entity == entity

    def test_without_a_default_an_unmapped_client_is_held_by_name(self) -> None:
        [hold] = mapped(rules=replace(RULES, clients={"org_7": "en_seven"}), client="org_8").holds
        assert hold.code == "client_unmapped"
        assert "org_8" in hold.message
        assert '"org_8"' in hold.fix

    @pytest.mark.parametrize(
        ("label", "id", "code"),
        [
            ("Web, Mobile & Software Dev", None, "jc_software"),
            ("web, mobile and software dev", None, "jc_software"),
            ("  Web,  Mobile &  Software   Dev ", None, "jc_software"),
            (None, "531770282580668418", "jc_by_id"),
            ("Web, Mobile & Software Dev", "531770282580668418", "jc_by_id"),
            ("Web, Mobile & Software Dev", "1", "jc_software"),
        ],
    )
    def test_a_category_is_found_by_id_or_by_its_label_folded(
        self, label: str | None, id: str | None, code: str
    ) -> None:
        job = mapped(replace(FRONTEND, category=label, category_id=id), self.rules).job
        assert job is not None
        assert job.category_code == code

    def test_an_unmapped_category_is_held_unless_there_is_a_default(self) -> None:
        falconry = replace(FRONTEND, category="Falconry")
        assert codes(falconry, self.rules) == ["category_unmapped"]
        caught = replace(self.rules, categories={**self.rules.categories, "*": "jc_other"})
        assert codes(falconry, caught) == []

    @pytest.mark.parametrize(
        ("sub", "sub_id", "code"),
        [
            ("QA & Testing", None, "jc_testing"),
            ("qa and testing", "1", "jc_testing"),
            (None, "531770282589057031", "jc_sub_by_id"),
            ("QA & Testing", "531770282589057031", "jc_sub_by_id"),
            ("Scripts & Utilities", "2", "jc_by_id"),
            (None, None, "jc_by_id"),
        ],
    )
    def test_a_subcategory_that_is_mapped_wins_over_its_category(
        self, sub: str | None, sub_id: str | None, code: str
    ) -> None:
        finer = {"QA & Testing": "jc_testing", "531770282589057031": "jc_sub_by_id"}
        rules = replace(self.rules, categories={**self.rules.categories, **finer})
        terms = replace(FRONTEND, category_id="531770282580668418", subcategory=sub, subcategory_id=sub_id)
        job = mapped(terms, rules).job
        assert job is not None
        assert job.category_code == code

    def test_an_unmapped_subcategory_is_named_with_its_category(self) -> None:
        [hold] = mapped(replace(FRONTEND, category="Falconry", subcategory="Hoods")).holds
        assert "Falconry / Hoods" in hold.message

    def test_a_category_known_by_its_id_alone_is_named_by_it(self) -> None:
        [hold] = mapped(replace(FRONTEND, category=None, category_id="531", subcategory_id="532")).holds
        assert "531 / 532" in hold.message
        assert 'Add "531"' in hold.fix


class TestKinds:
    def test_an_employee_on_payroll_is_not_insured_at_all(self) -> None:
        found = mapped(replace(FRONTEND, kind="payroll", title=None))
        assert [hold.code for hold in found.holds] == ["payroll_contract"]
        assert (found.contractor, found.job, found.window) == (None, None, None)

    def test_a_weekly_stipend_is_held_even_beside_an_hourly_rate(self) -> None:
        found = mapped(replace(FRONTEND, kind="weekly_retainer"))
        assert [hold.code for hold in found.holds] == ["pay_by_the_week"]
        assert found.job is None
        assert found.contractor is not None
        assert codes(replace(FRONTEND, kind="weekly_retainer", pay=None)) == ["pay_by_the_week"]


class TestTitle:
    def test_a_contract_without_a_title_is_held(self) -> None:
        assert codes(replace(FRONTEND, title=None)) == ["title_missing"]

    def test_the_title_stands_in_for_a_missing_description(self) -> None:
        job = mapped(replace(FRONTEND, description=None)).job
        assert job is not None
        assert job.description == "Frontend Developer"

    def test_braces_in_a_title_are_left_as_they_are(self) -> None:
        job = mapped(replace(FRONTEND, title="Fix the {id} template")).job
        assert job is not None
        assert job.name == "Contract 9001 — Fix the {id} template"

    def test_the_plain_title_is_the_default_name(self) -> None:
        job = mapped(rules=replace(RULES, job_name=Rules().job_name)).job
        assert job is not None
        assert job.name == "Frontend Developer"


class TestWindow:
    def test_without_an_end_the_configured_term_applies_and_is_noted(self) -> None:
        result = mapped(replace(FRONTEND, ends_at=None), replace(RULES, default_term_days=30))
        assert result.window == Window(START, START + 30 * DAY)
        assert "30 days" in result.notes[0]

    def test_no_default_term_is_longer_than_a_year(self) -> None:
        result = mapped(replace(FRONTEND, ends_at=None), replace(RULES, default_term_days=900))
        assert result.window == Window(START, START + YEAR)

    def test_a_term_over_a_year_is_cut_and_noted(self) -> None:
        result = mapped(replace(FRONTEND, ends_at=START + YEAR + 1))
        assert result.window == Window(START, START + YEAR)
        assert "cut to a year" in result.notes[0]

    def test_exactly_a_year_is_left_alone(self) -> None:
        result = mapped(replace(FRONTEND, ends_at=START + YEAR))
        assert (result.window, result.notes) == (Window(START, START + YEAR), ())

    @pytest.mark.parametrize("ends", [START, START - DAY])
    def test_an_empty_window_is_held(self, ends: int) -> None:
        assert codes(replace(FRONTEND, ends_at=ends)) == ["window_empty"]

    def test_a_missing_start_is_held(self) -> None:
        assert codes(replace(FRONTEND, starts_at=None)) == ["start_missing"]

    def test_a_contract_that_starts_at_the_epoch_has_a_start(self) -> None:
        assert mapped(replace(FRONTEND, starts_at=0, ends_at=DAY)).window == Window(0, DAY)


def test_every_hole_is_shown_at_one_look_and_the_rest_is_mapped() -> None:
    holey = Terms(None, None, None, None, START, END, Person(display_name="Cher"))
    result = mapped(holey, replace(RULES, clients={}, proxy_email_domain=None))
    assert [hold.code for hold in result.holds] == [
        *("name_unclear", "email_missing"),
        *("client_unmapped", "category_unmapped", "pay_missing", "title_missing"),
    ]
    assert result.window == Window(START, END)


def test_every_hold_says_what_is_wrong_and_what_will_clear_it() -> None:
    holey = Terms(None, None, None, None, None, None, Person())
    for hold in mapped(holey, replace(RULES, clients={}, proxy_email_domain=None)).holds:
        assert hold.message.endswith(".")
        assert hold.fix.endswith(".")
        assert json.dumps(structs.asdict(hold))
