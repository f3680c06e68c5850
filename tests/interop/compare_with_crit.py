"""Compares `imgtool show` with crit over whole dumps, as parsed JSON.

Usage: compare_with_crit.py IMGTOOL DUMP...

Every image of every dump that crit knows, plain and pretty. Prints a line for each difference, then
the number of images compared. Exit status 0 without differences, 1 with, 3 where crit is not
installed. crit runs inside this process: starting it for each image takes longer than all the rest.
"""

import json
import os
import re
import subprocess
import sys

try:
    import pycriu
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(3)

# Fields, by how their place ends, that crit 3.17.1 (Debian 12) does not know and leaves out.
NEWER_FIELDS = (
    ".creds.cap_amb",
    ".creds.no_new_privs",
    ".tc.membarrier_registration_mask",
    ".tc.stop_signo",
    ".thread_core.cg_set",
    ".xsave.cet",
    "/inventory.img.entries[].allow_uprobes",
    "/inventory.img.entries[].dump_criu_run_id",
    "/inventory.img.entries[].plugins_entry",
    ".is_threaded",
    "/files.img.entries[].isk.ip_opts.ttl",
    "/files.img.entries[].isk.tcp_opts",
    "/files.img.entries[].pidfd",
    "/memfd.img.entries[].mode",
    ".ipv4_sysctl",
)
# Enum values that it leaves out likewise.
NEWER_VALUES = ("PIDFD",)


def as_older_crit_names_it(image):
    """Field 2 of a pagemap entry was called nr_pages, until 4.2 added another of that name; mappings of
    memory files had no name of their own."""
    if image["magic"] == "MM":
        for vma in image["entries"][0]["vmas"]:
            if isinstance(vma["status"], str):
                vma["status"] = vma["status"].replace("VMA_AREA_MEMFD", "0x4000")
    if image["magic"] == "PAGEMAP":
        for entry in image["entries"]:
            if "compat_nr_pages" in entry:
                entry["nr_pages"] = entry.pop("compat_nr_pages")
    return image


def differences(shown, decoded, where):
    """Lines that say where two JSON values differ."""
    if isinstance(shown, dict) and isinstance(decoded, dict):
        for key in sorted(set(shown) | set(decoded)):
            if key not in decoded:
                place = re.sub(r"entries\[\d+\]", "entries[]", f"{where}.{key}")
                if not place.endswith(NEWER_FIELDS) and shown[key] not in NEWER_VALUES:
                    yield f"{where}.{key}: only imgtool shows it: {shown[key]!r}"
            elif key not in shown:
                yield f"{where}.{key}: only crit shows it: {decoded[key]!r}"
            else:
                yield from differences(shown[key], decoded[key], f"{where}.{key}")
    elif isinstance(shown, list) and isinstance(decoded, list):
        if len(shown) != len(decoded):
            yield f"{where}: {len(shown)} values, {len(decoded)} by crit"
        for index, (one, other) in enumerate(zip(shown, decoded)):
            yield from differences(one, other, f"{where}[{index}]")
    elif shown != decoded:
        yield f"{where}: {shown!r}, {decoded!r} by crit"


def decode(path, pretty):
    with open(path, "rb") as image:
        return json.loads(json.dumps(pycriu.images.load(image, pretty)))


def compare_dump(imgtool, dump, pretty):
    """(number of images compared, lines)"""
    command = [imgtool, "show", *(["--pretty"] if pretty else []), dump]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    count, lines = 0, []
    for name in sorted(shown):
        path = os.path.join(dump, name)
        if shown[name].get("magic") not in pycriu.images.images.handlers:
            continue  # raw, or of a type that crit does not know
        if any(entry.get("in_pagemaps") for entry in shown[name]["entries"]):
            continue  # System V shared memory: crit takes what follows for its content
        count += 1
        lines.extend(differences(as_older_crit_names_it(shown[name]), decode(path, pretty), path))
    return count, lines


def main():
    count, lines = 0, []
    for dump in sys.argv[2:]:
        for pretty in (False, True):
            more, new_lines = compare_dump(sys.argv[1], dump, pretty)
            count += more
            lines += new_lines
    for line in lines:
        print(line)
    print(f"{count} images compared")
    return 1 if lines or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
