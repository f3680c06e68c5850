"""Programs to be dumped."""

def test_program(name, linkopts = ""):
    """NAME.cc with program.h, compiled as it is in every configuration: a sanitizer's shadow memory and
    handlers would be what is dumped, and the libraries under test are what it is for."""
    native.genrule(
        name = name + "_build",
        srcs = [name + ".cc", "program.cc", "program.h"],
        outs = [name],
        cmd = "$(CC) -std=c++20 -O1 -g1 -Wall -Wextra -Wconversion -Wshadow -Werror -pthread -I. " +
              "$(location %s.cc) $(location program.cc) -o $@ -lstdc++ -lm %s" % (name, linkopts),
        executable = True,
        testonly = True,
        toolchains = ["@bazel_tools//tools/cpp:current_cc_toolchain"],
        visibility = ["//tests:__subpackages__"],
    )
