"""Prints what Debian's crit knows of the image format, in the columns of the files beside this one.

Lines of three kinds, told apart by their first column: field, enum and magic. Exits with 3 where
crit is not installed.
"""
import importlib
import pkgutil
import sys

try:
    import pycriu.images as images
    from pycriu.images import magic
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(3)

TYPES = {1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 6: "fixed64", 7: "fixed32",
         8: "bool", 9: "string", 12: "bytes", 13: "uint32", 17: "sint32", 18: "sint64"}
LABELS = {1: "optional", 2: "required", 3: "repeated"}


def type_name(field):
    if field.message_type:
        return field.message_type.full_name
    return field.enum_type.full_name if field.enum_type else TYPES[field.type]


def default_text(field):
    if not field.has_default_value:
        return ""
    if field.enum_type:
        return field.enum_type.values_by_number[field.default_value].name
    return str(field.default_value).lower()


def options_text(field):
    return ",".join("%s=%s" % (option.name, value) for extension, spelling
                    in field.GetOptions().ListFields() for option, value in spelling.ListFields())


def print_enum(enum):
    for value in enum.values:
        print("enum", enum.full_name, value.number, value.name, sep="\t")


def print_message(message):
    for field in message.fields:
        print("field", message.full_name, field.number, LABELS[field.label], type_name(field),
              field.name, default_text(field), options_text(field), sep="\t")
    for enum in message.enum_types:
        print_enum(enum)


for module in pkgutil.iter_modules(images.__path__):
    if module.name.endswith("_pb2"):
        file = importlib.import_module("pycriu.images." + module.name).DESCRIPTOR
        for message in file.message_types_by_name.values():
            print_message(message)
        for enum in file.enum_types_by_name.values():
            print_enum(enum)
for name, value in magic.by_name.items():
    print("magic", name, "%#010x" % value, sep="\t")
