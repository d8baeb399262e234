"""Makes the ratio table of bench/compare-cpu from lines of JSON.

Usage: ratio_table.py OURS.jsonl THEIRS.jsonl FACTS.json OUT_FOLDER
Writes OUT_FOLDER/compare-cpu.md and .json, and prints the table. A figure is the median of all samples of all rounds.
"""
import json
import statistics
import sys
from pathlib import Path

TIE = 0.03


def read(path):
    """Lines by (threads, name): unit and all rates."""
    found = {}
    for line in Path(path).read_text().splitlines():
        entry = json.loads(line)
        unit, rates = found.setdefault((entry["threads"], entry["name"]), (entry["unit"], []))
        rates.extend(entry["rates"])
    return found


def verdict(ratio):
    return "tie" if abs(ratio - 1) <= TIE else "win" if ratio > 1 else "loss"


def rows(ours, theirs):
    for key, (unit, rates) in ours.items():
        if key not in theirs:
            raise SystemExit(f"ratio_table: {key[1]} on {key[0]} threads was not measured by the peer")
        mine, peer = statistics.median(rates), statistics.median(theirs[key][1])
        spread = max(statistics.quantiles(r, n=10)[8] / statistics.quantiles(r, n=10)[0] for r in (rates, theirs[key][1]))
        yield {"threads": key[0], "name": key[1], "unit": unit, "ours": mine, "peer": peer, "ratio": mine / peer,
               "spread": spread, "verdict": verdict(mine / peer)}


def table(entries):
    yield "| threads | what | unit | CnnNative | PyTorch | ratio | | spread |"
    yield "|---|---|---|---|---|---|---|---|"
    for e in entries:
        digits = 0 if e["unit"] == "images/s" else 1
        yield (f"| {e['threads']} | {e['name']} | {e['unit']} | {e['ours']:,.{digits}f} | {e['peer']:,.{digits}f} "
               f"| {e['ratio']:.2f} | {e['verdict']} | {e['spread']:.2f} |")


def main():
    ours, theirs, facts_path, folder = sys.argv[1:]
    facts = json.loads(Path(facts_path).read_text())
    entries = sorted(rows(read(ours), read(theirs)), key=lambda e: e["threads"])
    counts = {word: sum(e["verdict"] == word for e in entries) for word in ("win", "tie", "loss")}
    lines = ["# CnnNative and PyTorch on the CPU", ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += ["", f"{counts['win']} wins, {counts['tie']} ties (within {TIE:.0%}), {counts['loss']} losses. Both sides ran in turns; a figure is "
              "the median of all samples, the spread is the larger of the two ratios of the 90th to the 10th percentile.", ""]
    lines += table(entries)
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    (out / "compare-cpu.md").write_text("\n".join(lines) + "\n")
    (out / "compare-cpu.json").write_text(json.dumps({"facts": facts, "results": entries}, indent=1) + "\n")
    print("\n".join(lines[-len(entries) - 4:]))
    print(f"\nwritten to {out}/compare-cpu.md and .json")


if __name__ == "__main__":
    main()
