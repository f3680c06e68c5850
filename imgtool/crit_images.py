"""Images of every type that the installed crit knows, with what crit makes of them.

Usage: crit_images.py OUT. Writes OUT/TYPE-N (an image) with OUT/TYPE-N.plain and OUT/TYPE-N.pretty
(the output of `crit decode` and `crit decode --pretty`). Values are generated for every field of
every message from a fixed seed: 0 has required fields only, all zero and empty; 1 has every field;
2 has the largest values; the others are random.
"""

import importlib
import os
import pkgutil
import random
import struct
import sys

sys.path.append("/usr/lib/python3/dist-packages")

import pycriu.cli  # noqa: E402
from google.protobuf.descriptor import FieldDescriptor as Field  # noqa: E402
from pycriu.images import magic, opts_pb2  # noqa: E402
from pycriu.images import images as formats  # noqa: E402

VARIANTS = 12
MAX_DEPTH = 3  # of messages that hold themselves

# Named by newer CRIU; crit 3.17.1 shows them as hex.
NEWER_FLAGS = {"mmap.flags": 1 << 3, "mmap.status": 1 << 14 | 1 << 15 | 1 << 17}

INTEGERS = {
    Field.TYPE_INT32: (-(2**31), 2**31 - 1),
    Field.TYPE_SINT32: (-(2**31), 2**31 - 1),
    Field.TYPE_INT64: (-(2**63), 2**63 - 1),
    Field.TYPE_SINT64: (-(2**63), 2**63 - 1),
    Field.TYPE_UINT32: (0, 2**32 - 1),
    Field.TYPE_FIXED32: (0, 2**32 - 1),
    Field.TYPE_UINT64: (0, 2**64 - 1),
    Field.TYPE_FIXED64: (0, 2**64 - 1),
}

SERVICE_IMAGES = {"STATS", "IRMAP_CACHE"}


class Values:
    """The values of one variant."""

    def __init__(self, seed, variant):
        self.random = random.Random("%s %d" % (seed, variant))
        self.variant = variant

    def integer(self, low, high):
        if self.variant == 0:
            return 0
        if self.variant == 2:
            return self.random.choice((low, high))
        return self.random.choice(
            (low, high, 0, 1, self.random.randint(low, high), self.random.randint(0, 255))
        )

    def size(self, most):
        return 0 if self.variant == 0 else self.random.randint(0, most)

    def text(self):
        letters = "az/._-= \t\n\r\"\\\b\f\x01\x7f\u00e9\u2028\uffff\U0001f600"
        return "".join(self.random.choice(letters) for _ in range(self.size(20)))

    def data(self):
        kinds = (bytes(range(256)), b" \t\r\n.=ab", b"/tmp/socket-\0")
        letters = self.random.choice(kinds)
        return bytes(self.random.choice(letters) for _ in range(self.size(200)))

    def wants(self, field):
        if field.label == Field.LABEL_REQUIRED or self.variant in (1, 2):
            return True
        return self.variant > 0 and self.random.random() < 0.5

    def count(self, options):
        if options.ipadd:
            return self.random.choice((1, 4))
        return self.random.randint(1, 3)

    def scalar(self, field, options):
        if field.type == Field.TYPE_STRING:
            return self.text()
        if field.type == Field.TYPE_BYTES:
            return self.data()
        if field.type == Field.TYPE_BOOL:
            return self.integer(0, 1) == 1
        if field.type == Field.TYPE_ENUM:
            return self.random.choice([value.number for value in field.enum_type.values])
        value = self.integer(*INTEGERS[field.type])
        return value & ~NEWER_FLAGS.get(options.flags, 0)

    def fill(self, message, depth=0):
        for field in message.DESCRIPTOR.fields:
            if not self.wants(field):
                continue
            options = field.GetOptions().Extensions[opts_pb2.criu]
            if field.type == Field.TYPE_MESSAGE:
                self.fill_submessage(message, field, options, depth)
            elif field.label == Field.LABEL_REPEATED:
                values = [self.scalar(field, options) for _ in range(self.count(options))]
                getattr(message, field.name).extend(values)
            else:
                setattr(message, field.name, self.scalar(field, options))
        return message

    def fill_submessage(self, message, field, options, depth):
        if depth > MAX_DEPTH and field.label != Field.LABEL_REQUIRED:
            return
        part = getattr(message, field.name)
        if field.label != Field.LABEL_REPEATED:
            part.SetInParent()
            self.fill(part, depth + 1)
            return
        for _ in range(self.count(options)):
            self.fill(part.add(), depth + 1)


def message_classes():
    classes = {}
    for module in pkgutil.iter_modules(pycriu.images.__path__):
        if module.name.endswith("_pb2"):
            classes.update(vars(importlib.import_module("pycriu.images." + module.name)))
    return classes


MESSAGES = message_classes()


def framed(message):
    body = message.SerializeToString()
    return struct.pack("<I", len(body)) + body


def padded(data, unit):
    return data + bytes(-len(data) % unit)


def payload(message, values):
    """Sets the counts in the message and returns the bytes that they count."""
    kind = message.DESCRIPTOR.name
    data = values.data()
    if kind == "pipe_data_entry":
        message.bytes = len(data)
    elif kind == "sk_packet_entry":
        message.length = len(data)
    elif kind == "tcp_stream_entry":
        message.inq_len = len(data) // 3
        message.outq_len = len(data) - len(data) // 3
    elif kind == "bpfmap_data_entry":
        message.keys_bytes = len(data) // 2
        message.values_bytes = len(data) - len(data) // 2
    elif kind == "ipc_sem_entry":
        message.nsems = len(data) // 2
        return padded(data[: 2 * message.nsems], 8)
    elif kind == "ipc_shm_entry":
        message.size = len(data)
        # crit looks for a payload after the entry even where there is none.
        message.in_pagemaps = False
        return padded(data, 4)
    elif kind == "ipc_msg_entry":
        return queued_messages(message, values)
    else:
        return b""
    return data


def queued_messages(queue, values):
    queue.qnum = values.size(3)
    out = b""
    for _ in range(queue.qnum):
        data = values.data()
        message = values.fill(MESSAGES["ipc_msg"]())
        message.msize = len(data)
        out += framed(message) + padded(data, 8)
    return out


def entries(handler, values):
    if isinstance(handler, formats.pagemap_handler):
        yield framed(values.fill(MESSAGES["pagemap_head"]()))
        for _ in range(values.size(4)):
            yield framed(values.fill(MESSAGES["pagemap_entry"]()))
    elif isinstance(handler, formats.ghost_file_handler):
        yield from ghost_entries(values)
    else:
        for _ in range(1 + values.size(2)):
            message = values.fill(handler.payload())
            extra = payload(message, values)
            yield framed(message) + extra


def ghost_entries(values):
    head = values.fill(MESSAGES["ghost_file_entry"]())
    head.chunks = values.variant % 2 == 1
    if not head.chunks:
        yield framed(head) + values.data()
        return
    yield framed(head)
    for _ in range(values.size(3)):
        data = values.data()
        chunk = values.fill(MESSAGES["ghost_chunk_entry"]())
        chunk.len = len(data)
        yield framed(chunk) + data


def header(name):
    own = struct.pack("<I", magic.by_name[name])
    if name == "INVENTORY":
        return own
    prefix = "IMG_SERVICE" if name in SERVICE_IMAGES else "IMG_COMMON"
    return struct.pack("<I", magic.by_name[prefix]) + own


def decode(image, out, *options):
    sys.argv = ["crit", "decode", "-i", image, "-o", out, *options]
    pycriu.cli.main()


def main(out):
    for name, handler in sorted(formats.handlers.items()):
        if name not in magic.by_name:
            continue
        for variant in range(VARIANTS):
            values = Values(name, variant)
            path = os.path.join(out, "%s-%d" % (name, variant))
            with open(path, "wb") as image:
                image.write(header(name) + b"".join(entries(handler, values)))
            decode(path, path + ".plain")
            decode(path, path + ".pretty", "--pretty")


if __name__ == "__main__":
    main(sys.argv[1])
