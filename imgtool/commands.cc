#include <cstdint>

#include "imgtool/command.h"
#include "imgtool/info_command.h"
#include "imgtool/show_command.h"

namespace ckpt {
namespace {

constexpr Command kCommands[] = {
    {
        .name = "info",
        .summary = "type, entries and sizes of images",
        .operands = "PATH...",
        .description = kInfoDescription,
        .max_operands = kAnyNumber,
        .add_options = AddInfoOptions,
        .run = RunInfo,
    },
    {
        .name = "show",
        .summary = "images as JSON, spelt as crit spells them",
        .operands = "PATH...",
        .description = kShowDescription,
        .max_operands = kAnyNumber,
        .add_options = AddShowOptions,
        .run = RunShow,
    },
};

}  // namespace

std::span<const Command> Commands() { return kCommands; }

}  // namespace ckpt
