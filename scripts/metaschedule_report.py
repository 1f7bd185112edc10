"""The table that compare_metaschedule prints of a task, and the medians and ratios in it."""

import statistics

UNTIL = {"min_ms": "until", "median_ms": "until_median"}  # seconds until that statistic is less than MetaSchedule's


def median(values):
    """Of numbers of which None means never."""
    middle = statistics.median(float("inf") if value is None else value for value in values)
    return None if middle == float("inf") else middle


def summary(task, rows):
    """Adds to the rows when Whet was faster, and to them their medians and the ratios of those."""
    theirs, ours = ([row for name, row in rows.items() if name.startswith(engine)]
                    for engine in ("metaschedule", "whet"))
    to_beat = {key: median(row[key] for row in theirs) for key in UNTIL}
    for row in ours:
        for key, until in UNTIL.items():
            row[until] = next((record["seconds"] for record in row["records"] if record[key] < to_beat[key]), None)
    for key, until in UNTIL.items():
        rows["untuned"][until] = rows["untuned"]["seconds"] if rows["untuned"][key] < to_beat[key] else None
    for row in theirs + ours:
        row["candidates_per_s"] = row["trials"] / row["seconds"]
    medians = {}
    for engine, of in (("metaschedule", theirs), ("whet", ours)):
        keys = ["min_ms", "median_ms", "seconds", "candidates_per_s"] + [*UNTIL.values()] * (engine == "whet")
        medians[engine] = {key: median(row[key] for row in of) for key in keys}
        medians[engine]["in_turns"] = {key: median(row["in_turns"][key] for row in of) for key in to_beat}
    them, us = medians["metaschedule"], medians["whet"]
    ratios = {until: them["seconds"] / us[until] if us[until] else None for until in UNTIL.values()}
    ratios["candidates_per_s"] = us["candidates_per_s"] / them["candidates_per_s"]
    ratios |= {f"in_turns_{key}": them["in_turns"][key] / us["in_turns"][key] for key in to_beat}
    return {"task": task, "rows": rows, "medians": medians, "ratios": ratios}


def cell(row, key, digits):
    value = row.get(key)
    return ("never" if key in row else "") if value is None else f"{value:.{digits}f}"


def print_table(result):
    print(f"\n{result['task']}\n{'':<22}{'searched':>20}{'in turns':>20}")
    print(f"{'':<22}{'min ms':>9}{'median ms':>11}{'min ms':>9}{'median ms':>11}{'seconds':>9}{'until':>8}"
          f"{'until median':>14}{'trials':>8}{'failed':>8}{'candidates/s':>14}")
    medians = {f"median of {engine}": row for engine, row in result["medians"].items()}
    for name, row in (sorted(result["rows"].items()) + list(medians.items())):
        print(f"{name:<22}{cell(row, 'min_ms', 4):>9}{cell(row, 'median_ms', 4):>11}"
              f"{cell(row['in_turns'], 'min_ms', 4):>9}{cell(row['in_turns'], 'median_ms', 4):>11}"
              f"{cell(row, 'seconds', 1):>9}{cell(row, 'until', 2):>8}{cell(row, 'until_median', 2):>14}"
              f"{cell(row, 'trials', 0):>8}{cell(row, 'failed', 0):>8}{cell(row, 'candidates_per_s', 2):>14}")
    said = {key: "never" if value is None else f"{value:.2f}" for key, value in result["ratios"].items()}
    print(f"of the medians: MetaSchedule's seconds over Whet's until faster {said['until']} (by median "
          f"{said['until_median']}), Whet's candidates/s\nover MetaSchedule's {said['candidates_per_s']}, in turns "
          f"MetaSchedule's time over Whet's {said['in_turns_min_ms']} (by median {said['in_turns_median_ms']})")
