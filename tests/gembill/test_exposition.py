"""What all metrics share is read by Prometheus's own parser."""

from prometheus_client.parser import text_string_to_metric_families

from gembill.exposition import head, label_value


def test_a_family_with_an_odd_label_is_read_as_one_sample() -> None:
    value = label_value('a "b" \\ c\nd')
    text = "\n".join([*head("calls", "gauge", "Calls."), f'gembill_calls{{model="{value}"}} 3', ""])
    (family,) = text_string_to_metric_families(text)
    assert (family.name, family.type, family.documentation) == ("gembill_calls", "gauge", "Calls.")
    assert [(sample.labels, sample.value) for sample in family.samples] == [({"model": "a _b_ _ c_d"}, 3)]
