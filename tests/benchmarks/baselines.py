"""Run by the Python of .venv-benchmark, which knows nothing of this project: other people's comparisons of names.

Reads one line of JSON, ``{"method": ..., "rows": [texts], "columns": [texts]}``, and writes one line back,
``{"scores": [one list for each row], "seconds": ...}``: what the comparing of all pairs took, once loaded.
"""

import json
import sys
import time
import warnings


def token_ratio(transliterate):
    """rapidfuzz's token_sort_ratio over lower-cased Latin text."""
    from rapidfuzz import fuzz

    def compare_all(rows, columns):
        columns = [transliterate(text).lower() for text in columns]
        for text in rows:
            row = transliterate(text).lower()
            yield [fuzz.token_sort_ratio(row, column) / 100 for column in columns]

    return compare_all


def anyascii_ratio():
    from anyascii import anyascii

    return token_ratio(anyascii)


def unidecode_ratio():
    from unidecode import unidecode

    return token_ratio(unidecode)


def logic_v2():
    """nomenklatura's, as it stands: two persons, each with a name and nothing else."""
    from followthemoney.proxy import EntityProxy
    from nomenklatura.matching.logic_v2.model import LogicV2

    config = LogicV2.default_config()

    def person(key, text):
        return EntityProxy.from_dict({"id": key, "schema": "Person", "properties": {"name": [text]}})

    def compare_all(rows, columns):
        # what it finds out about a name it remembers by the entity's id
        columns = [person(f"column-{number}", text) for number, text in enumerate(columns)]
        for number, text in enumerate(rows):
            row = person(f"row-{number}", text)
            yield [LogicV2.compare(row, column, config).score for column in columns]

    return compare_all


METHODS = {"anyascii": anyascii_ratio, "unidecode": unidecode_ratio, "logic-v2": logic_v2}


def main():
    warnings.simplefilter("ignore")
    asked = json.loads(sys.stdin.readline())
    compare_all = METHODS[asked["method"]]()
    # the first comparison loads lists of names and words
    list(compare_all(["Kim Invented"], ["Invented Kim", "Someone Else"]))
    began = time.perf_counter()
    scores = list(compare_all(asked["rows"], asked["columns"]))
    seconds = time.perf_counter() - began
    sys.stdout.write(json.dumps({"scores": scores, "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
