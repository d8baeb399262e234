#!/usr/bin/env python3
"""Compares what the emulator takes as PTX with what NVIDIA's ptxas takes, on mutations of the conformance corpus.

    build/tests/conformance/conformance --ptx FOLDER
    tools/ptx-mutations.py --ptxas PATH --count 1000 --seed 1 FOLDER build/tests/emulator/load_ptx

Each mutation gives the instruction that a case is about another type, or a modifier more or less. Two lists come out: what
only the emulator takes, which is a fault of its tables, and what only ptxas takes, which may be a form left out on purpose.
Ends with 1 when the first list is not empty. ptxas needs no GPU.
"""
import argparse
import concurrent.futures
import pathlib
import random
import re
import subprocess
import sys
import tempfile

TYPES = "u8 s8 u16 s16 u32 s32 u64 s64 f16 f16x2 bf16 bf16x2 f32 f64 b8 b16 b32 b64 pred tf32".split()
MODIFIERS = ("ftz sat rn rz rm rp rni rzi approx full wide hi lo relu NaN xorsign.abs satfinite noftz global shared volatile "
             "relaxed.gpu acquire.gpu sync aligned cta sys v2 v4 cc clamp wrap l r shiftamt to up bfly any all ballot uni "
             "m16n8k16 m16n8k8 row col trans x4 x2 x1").split()
INSTRUCTION = re.compile(r"((?:@!?%\w+\s+)?)([a-z]\w*(?:\.[\w:]+)*)(\s[^;]*)?;")


def mutated(opcode, rng):
    """The opcode with another type or modifier, with one less, or with one more."""
    parts, choice = opcode.split("."), rng.random()
    if len(parts) > 1 and choice < 0.5:
        place = rng.randrange(1, len(parts))
        parts[place] = rng.choice(TYPES if parts[place] in TYPES else MODIFIERS)
    elif len(parts) > 2 and choice < 0.7:
        del parts[rng.randrange(1, len(parts))]
    else:
        parts.insert(rng.randrange(1, len(parts) + 1), rng.choice(MODIFIERS))
    return ".".join(parts)


def mutation_of(text, rng):
    """(what was changed, the changed module), or None when there is nothing to change."""
    title = text.split("\n", 1)[0]
    name = re.split(r"[.\s+]", title.split("/", 1)[-1])[0]  # the first word of the case's name is its opcode
    sites = [m for m in INSTRUCTION.finditer(text) if m.group(2).split(".")[0] == name]
    if not sites:
        return None
    site = rng.choice(sites)
    opcode = mutated(site.group(2), rng)
    if opcode == site.group(2):
        return None
    return f"{site.group(2)} -> {opcode}", text[:site.start(2)] + opcode + text[site.end(2):]


def ptxas_refusal(ptxas, path):
    """Empty when ptxas takes the file, else its first error."""
    target = re.search(r"^\.target\s+(\w+)", path.read_text(), re.M).group(1)
    run = subprocess.run([ptxas, f"-arch={target}", str(path), "-o", "/dev/null"], capture_output=True, text=True)
    errors = [line for line in run.stderr.splitlines() if "error" in line]
    return "" if run.returncode == 0 else (errors or ["refused"])[0]


def emulator_refusals(load_ptx, folder):
    """file name -> first line of the JIT log, of the files that do not load."""
    run = subprocess.run([load_ptx, str(folder)], capture_output=True, text=True)
    refused, current = {}, None
    for line in run.stdout.splitlines() + run.stderr.splitlines():
        if found := re.match(r"REFUSED .*?([^/]+\.ptx)", line):
            current = found.group(1)
            refused[current] = ""
        elif current and line.startswith("line") and not refused[current]:
            refused[current] = line
    return refused


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("load_ptx")
    parser.add_argument("--ptxas", default="ptxas")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    sources = sorted(options.corpus.glob("*.ptx"))
    if not sources:
        sys.exit(f"{options.corpus} holds no .ptx file")
    with tempfile.TemporaryDirectory() as name:
        folder, changes = pathlib.Path(name), {}
        for attempt in range(4 * options.count):
            made = mutation_of(rng.choice(sources).read_text(), rng)
            if made is None or made[0] in changes.values():
                continue
            file = folder / f"{attempt:06}.ptx"
            changes[file.name] = made[0]
            file.write_text(made[1])
            if len(changes) == options.count:
                break
        refused_here = emulator_refusals(options.load_ptx, folder)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            refused_there = dict(zip(changes, pool.map(lambda file: ptxas_refusal(options.ptxas, folder / file), changes)))
    only_here = [f"{changes[file]}   {refused_there[file]}" for file in changes if file not in refused_here and refused_there[file]]
    only_there = [f"{changes[file]}   {refused_here[file]}" for file in changes if file in refused_here and not refused_there[file]]
    for title, lines in (("taken by the emulator only", only_here), ("taken by ptxas only", only_there)):
        print(f"{title}: {len(lines)} of {len(changes)}")
        print("".join(f"  {line}\n" for line in sorted(lines)), end="")
    return 1 if only_here else 0


if __name__ == "__main__":
    sys.exit(main())
