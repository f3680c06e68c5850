"""Fuzz targets, each also an ordinary test of what fuzzers found worth keeping."""

load("//bazel:ckpt.bzl", "ckpt_cc_binary", "ckpt_cc_library", "ckpt_cc_test")

def fuzz_target(name, srcs, deps):
    """From srcs, which define LLVMFuzzerTestOneInput():

    NAME_fuzzer: with clang's libFuzzer, only by --config=fuzz; see tools/fuzz.
    NAME_corpus_test: every file of corpus/NAME through the same function, in every configuration.
    """
    ckpt_cc_library(
        name = name + "_entry",
        testonly = True,
        srcs = srcs,
        alwayslink = True,
        deps = deps,
    )
    ckpt_cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        srcs = ["abort_on_failure.cc"],
        linkopts = [
            "-fsanitize=fuzzer",
            "-Wl,--wrap=_ZN4ckpt15InvariantFailedEPKcS1_i",
        ],
        tags = ["manual"],
        deps = [":%s_entry" % name],
    )
    ckpt_cc_test(
        name = name + "_corpus_test",
        size = "medium",
        srcs = ["corpus_test.cc"],
        data = native.glob(["corpus/%s/*" % name]),
        local_defines = ["CKPT_CORPUS='\"tests/fuzz/corpus/%s\"'" % name],
        deps = [
            ":%s_entry" % name,
            "//base:file",
            "//tests/harness:command",
        ],
    )
