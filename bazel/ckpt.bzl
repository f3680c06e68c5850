"""The project's rules: every target's compiler flags, and .proto files through Debian's protoc."""

_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wshadow",
    "-Werror",
]

def ckpt_cc_library(name, copts = [], **kwargs):
    native.cc_library(name = name, copts = _WARNINGS + copts, **kwargs)

def ckpt_cc_binary(name, copts = [], **kwargs):
    native.cc_binary(name = name, copts = _WARNINGS + copts, **kwargs)

def ckpt_cc_test(name, deps = [], copts = [], **kwargs):
    """A GoogleTest with its main function; small unless said otherwise."""
    native.cc_test(
        name = name,
        size = kwargs.pop("size", "small"),
        copts = _WARNINGS + copts,
        deps = deps + ["//third_party:gtest_main"],
        **kwargs
    )

def ckpt_cc_proto_library(name, srcs, **kwargs):
    """C++ of the .proto files in srcs, which import each other by their path from the workspace root."""
    outs = [src.replace(".proto", ext) for src in srcs for ext in [".pb.h", ".pb.cc"]]
    native.genrule(
        name = name + "_protoc",
        srcs = srcs,
        outs = outs,
        # <signal.h> has a macro of the name of a field.
        cmd = "protoc -I. -I/usr/include --cpp_out=$(GENDIR) $(SRCS)" +
              " && sed -i '1i #undef sigmask' $$(printf '%s\\n' $(OUTS) | grep 'h$$')",
    )
    native.cc_library(
        name = name,
        srcs = [out for out in outs if out.endswith(".cc")],
        hdrs = [out for out in outs if out.endswith(".h")],
        # Generated code: its warnings are not ours.
        copts = ["-w"],
        deps = ["//third_party:protobuf"],
        **kwargs
    )
