"""The analyst's questions to a tuning database, and replaying what is in it."""

import json

import pytest
from conftest import query, succeed


@pytest.mark.parametrize("question", ["best", "list", "stats"])
def test_a_question_is_answered_with_a_table(question, tuned):
    assert len(succeed("db", question, "--db", tuned).splitlines()) >= 2


def test_best_and_list_name_the_tasks(tuned):
    for question in ("best", "list"):
        assert "Conv" in succeed("db", question, "--db", tuned)


def test_a_query_answers_with_names_and_rows(tuned):
    (count,) = query(tuned, "SELECT count(*) FROM records")[0]
    text = succeed("db", "query", "--db", tuned, "SELECT count(*) AS how_many FROM records")
    assert "how_many" in text and str(count) in text


def test_the_views_can_be_queried(tuned):
    for view in ("v_best", "v_tasks", "v_failures", "v_runs", "v_curve"):
        succeed("db", "query", "--db", tuned, f"SELECT * FROM {view}")


def test_a_record_is_shown_with_its_directives(tuned):
    (record,) = query(tuned, "SELECT id FROM records WHERE status = 'ok' ORDER BY id DESC LIMIT 1")[0]
    text = succeed("db", "show", "--db", tuned, record)
    assert str(record) in text and "ok" in text


def test_a_curve_falls(tuned):
    (fingerprint,) = query(tuned, "SELECT fingerprint FROM tasks LIMIT 1")[0]
    succeed("db", "curve", "--db", tuned, fingerprint)
    best = [row[0] for row in query(tuned, f"SELECT best_ms FROM v_curve WHERE task = '{fingerprint}' "
                                           "AND best_ms IS NOT NULL ORDER BY trial")]
    assert best == sorted(best, reverse=True)


@pytest.mark.parametrize("question", ["best", "list", "stats"])
def test_a_table_is_written_as_json_too(question, tuned, tmp_path):
    succeed("db", question, "--db", tuned, "--json", tmp_path / "answer.json")
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["schema_version"] >= 1 and "context" in answer


def test_a_question_changes_nothing(tuned):
    before = tuned.read_bytes()
    succeed("db", "best", "--db", tuned)
    succeed("db", "query", "--db", tuned, "SELECT 1")
    assert tuned.read_bytes() == before


def test_a_record_is_replayed(tuned):
    (record,) = query(tuned, "SELECT record FROM v_best LIMIT 1")[0]
    assert "ms" in succeed("replay", "--db", tuned, record)


def test_a_record_that_failed_is_replayed_and_works_now(tuned, tmp_path):
    record = json.loads(succeed("db", "export", "--db", tuned, "--best").splitlines()[0])
    record |= {"status": "wrong_result", "message": "element [0] is 1 instead of 2", "samples_ns": [], "max_error": None,
               "role": "trial"}
    (tmp_path / "failed.jsonl").write_text(json.dumps(record) + "\n")
    database = tmp_path / "failed.db"
    succeed("db", "import", "--db", database, tmp_path / "failed.jsonl")
    assert query(database, "SELECT status FROM v_failures") == [("wrong_result",)]
    answer = succeed("replay", "--db", database, 1)
    assert "wrong_result" in answer and " ms" in answer
