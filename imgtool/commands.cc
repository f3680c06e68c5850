#include <cstdint>

#include "imgtool/aufs_fixup_command.h"
#include "imgtool/branches_command.h"
#include "imgtool/check/check_command.h"
#include "imgtool/command.h"
#include "imgtool/explore/diff_command.h"
#include "imgtool/explore/x_command.h"
#include "imgtool/help_command.h"
#include "imgtool/info_command.h"
#include "imgtool/json/decode_command.h"
#include "imgtool/json/encode_command.h"
#include "imgtool/memory/core_command.h"
#include "imgtool/memory/mem_command.h"
#include "imgtool/rewrite_command.h"
#include "imgtool/show_command.h"
#include "imgtool/storage/compress_command.h"
#include "imgtool/storage/pack_command.h"
#include "imgtool/storage/squash_command.h"
#include "imgtool/storage/unpack_command.h"
#include "imgtool/types_command.h"
#include "imgtool/undo_command.h"

namespace ckpt {
namespace {

constexpr Command kCommands[] = {
    {
        .name = "aufs-fixup",
        .summary = "paths of branch directories become paths of the union",
        .operands = "DUMP",
        .description = kAufsFixupDescription,
        .dump_option = "branches",
        .add_options = AddAufsFixupOptions,
        .run = RunAufsFixup,
    },
    {
        .name = "branches",
        .summary = "the branches of unions, from wherever they are told",
        .operands = "SOURCE",
        .description = kBranchesDescription,
        .dump_option = "dump",
        .add_options = AddBranchesOptions,
        .run = RunBranches,
    },
    {
        .name = "check",
        .summary = "can this dump be restored?",
        .operands = "DUMP",
        .description = kCheckDescription,
        .min_operands = 0,
        .add_options = AddCheckOptions,
        .run = RunCheck,
    },
    {
        .name = "completion",
        .summary = "a script by which a shell completes command lines of imgtool",
        .operands = "bash|zsh",
        .description = kCompletionDescription,
        .dump_operands = 0,
        .add_options = AddCompletionOptions,
        .run = RunCompletion,
    },
    {
        .name = "compress",
        .summary = "the pages of a dump to zstd, readable as before",
        .operands = "DUMP",
        .description = kCompressDescription,
        .add_options = AddCompressOptions,
        .run = RunCompress,
    },
    {
        .name = "core",
        .summary = "a process as an ELF core for a debugger",
        .operands = "DUMP PID",
        .description = kCoreDescription,
        .min_operands = 2,
        .max_operands = 2,
        .add_options = AddCoreOptions,
        .run = RunCore,
    },
    {
        .name = "decode",
        .summary = "an image to JSON, so that encode restores it",
        .operands = "PATH",
        .description = kDecodeDescription,
        .min_operands = 0,
        .dump_operands = 0,
        .add_options = AddDecodeOptions,
        .run = RunDecode,
    },
    {
        .name = "decompress",
        .summary = "the pages of a dump as CRIU has them",
        .operands = "DUMP",
        .description = kDecompressDescription,
        .add_options = AddDecompressOptions,
        .run = RunDecompress,
    },
    {
        .name = "diff",
        .summary = "what changed between two dumps",
        .operands = "A B",
        .description = kDiffDescription,
        .min_operands = 2,
        .max_operands = 2,
        .dump_operands = 2,
        .add_options = AddDiffOptions,
        .run = RunDiff,
    },
    {
        .name = "encode",
        .summary = "JSON to an image",
        .operands = "JSON",
        .description = kEncodeDescription,
        .min_operands = 0,
        .dump_operands = 0,
        .add_options = AddEncodeOptions,
        .run = RunEncode,
    },
    {
        .name = "help",
        .summary = "the commands, or all about one of them",
        .operands = "[COMMAND]",
        .description = kHelpDescription,
        .min_operands = 0,
        .dump_operands = 0,
        .add_options = AddHelpOptions,
        .run = RunHelp,
    },
    {
        .name = "info",
        .summary = "type, entries and sizes of images",
        .operands = "PATH...",
        .description = kInfoDescription,
        .max_operands = kAnyNumber,
        .dump_operands = kAnyNumber,
        .add_options = AddInfoOptions,
        .run = RunInfo,
    },
    {
        .name = "mem",
        .summary = "the memory of a process: where its pages are, and what is in them",
        .operands = "DUMP PID [map|dump|hexdump|search TEXT|args|env]",
        .description = kMemDescription,
        .min_operands = 2,
        .max_operands = 4,
        .add_options = AddMemOptions,
        .run = RunMem,
    },
    {
        .name = "pack",
        .summary = "a dump directory as an archive",
        .operands = "DUMP",
        .description = kPackDescription,
        .add_options = AddPackOptions,
        .run = RunPack,
    },
    {
        .name = "rewrite",
        .summary = "paths, ports, names and ids become others",
        .operands = "DUMP",
        .description = kRewriteDescription,
        .add_options = AddRewriteOptions,
        .run = RunRewrite,
    },
    {
        .name = "show",
        .summary = "images as JSON, spelt as crit spells them",
        .operands = "PATH...",
        .description = kShowDescription,
        .max_operands = kAnyNumber,
        .dump_operands = kAnyNumber,
        .add_options = AddShowOptions,
        .run = RunShow,
    },
    {
        .name = "squash",
        .summary = "an incremental dump without its parents",
        .operands = "DUMP",
        .description = kSquashDescription,
        .add_options = AddSquashOptions,
        .run = RunSquash,
    },
    {
        .name = "types",
        .summary = "the table of image types",
        .operands = "",
        .description = kTypesDescription,
        .min_operands = 0,
        .max_operands = 0,
        .add_options = AddTypesOptions,
        .run = RunTypes,
    },
    {
        .name = "undo",
        .summary = "takes the last change of a dump back",
        .operands = "DUMP",
        .description = kUndoDescription,
        .add_options = AddUndoOptions,
        .run = RunUndo,
    },
    {
        .name = "unpack",
        .summary = "an archive with a dump in it as a directory",
        .operands = "FILE",
        .description = kUnpackDescription,
        .add_options = AddUnpackOptions,
        .run = RunUnpack,
    },
    {
        .name = "x",
        .summary = "processes, descriptors, memory, sockets and mounts of a dump, as tables",
        .operands = "DUMP VIEW",
        .description = kXDescription,
        .min_operands = 2,
        .max_operands = 2,
        .add_options = AddXOptions,
        .run = RunX,
    },
};

}  // namespace

std::span<const Command> Commands() { return kCommands; }

}  // namespace ckpt
