"""Reads CSV files with pandas. Stdin: a JSON list of {path, read, decimal, thousands, numbers}. Stdout: for each {rows, numbers}."""
import json
import sys

import pandas


def read(file):
    arguments = dict(file["read"], header=None, index_col=False, keep_default_na=False, engine="python")
    text = pandas.read_csv(file["path"], dtype=str, **arguments)
    marks = {key: file[key] for key in ("decimal", "thousands") if file.get(key)}
    typed = pandas.read_csv(file["path"], **arguments, **marks) if file["numbers"] else None
    # pandas has read the values if it made them numbers.
    numbers = {
        at: [None if pandas.isna(value) else float(value) for value in typed[at]]
        for at in file["numbers"]
        if pandas.api.types.is_numeric_dtype(typed[at])
    }
    rows = [[None if pandas.isna(value) else value for value in row] for row in text.itertuples(index=False)]
    return {"rows": rows, "numbers": numbers}


def answer(file):
    try:
        return read(file)
    except pandas.errors.EmptyDataError:
        return {"rows": [], "numbers": {}}


json.dump([answer(file) for file in json.load(sys.stdin)], sys.stdout)
