"""Runs hunts in duckdb-kql over the rows of rows.py: duckdb_side.py QUERIES ROWS_FOLDER NOW > ANSWERS.

One JSON object per query: {"id", "columns", "rows"} with cells as Sandtrap's verdicts write them (datetimes with seven
digits and a Z, dynamic values as JSON), or {"id", "error"}. A query's `matched` is how many rows of its table passed.
"""

import datetime
import json
import pathlib
import sys

import duckdb_kql

# Kusto's types of the columns that are not text; the columns themselves are whatever the rows have.
TYPES = {"Timestamp": "TIMESTAMP", "ReportId": "BIGINT", "RemotePort": "INTEGER"}


def lines(path):
    """The lines of a file, cut at line feeds only: JSON may hold other separators as they are."""
    return pathlib.Path(path).read_text(encoding="utf-8").strip("\n").split("\n")


def load(con, file):
    """Makes the table of `file`. A Kusto string is never null: a missing one is empty, so it is loaded as empty."""
    columns = {}
    for line in lines(file):
        columns |= dict.fromkeys(json.loads(line), None)
    columns.pop("Type", None)
    if not columns:
        return
    # DeviceNetworkEvents has no AccountUpn, and 58 hunts name it. Sandtrap reads a column that its table lacks as empty.
    columns.setdefault("AccountUpn", None)
    types = {column: TYPES.get(column, "VARCHAR") for column in columns}
    cells = ", ".join(
        f'coalesce("{c}", \'\') AS "{c}"' if kind == "VARCHAR" else f'"{c}"' for c, kind in types.items()
    )
    source = f"read_json({str(file)!r}, format='newline_delimited', columns={types!r})"
    con.execute(f'CREATE TABLE "{file.stem}" AS SELECT {cells} FROM {source}')


def cell(value, kind):
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    return json.loads(value) if kind == "JSON" else value


def answer(con, query, now):
    relation = duckdb_kql.query(con, query, query_now=now)
    kinds = [str(kind) for kind in relation.types]
    rows = [[cell(value, kind) for value, kind in zip(row, kinds)] for row in relation.fetchall()]
    return {"columns": relation.columns, "rows": rows}


def main():
    queries, folder, now = sys.argv[1:]
    con = duckdb_kql.connect()
    for file in sorted(pathlib.Path(folder).glob("*.ndjson")):
        load(con, file)
    for line in lines(queries):
        hunt = json.loads(line)
        try:
            result = answer(con, hunt["query"], now)
        except Exception as error:  # whatever duckdb-kql cannot do is an answer to report, not a reason to stop
            result = {"error": " ".join(str(error).split())[:300]}
        print(json.dumps({"id": hunt["id"]} | result, ensure_ascii=False))


main()
