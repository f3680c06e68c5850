#include "imgtool/memory/mem_command.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <array>
#include <boost/program_options/value_semantic.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "base/progress.h"
#include "formats/json_text.h"
#include "imgtool/dump_input.h"
#include "imgtool/memory/address_text.h"
#include "imgtool/memory/byte_pattern.h"
#include "imgtool/memory/hex_rows.h"
#include "imgtool/memory/map_listing.h"
#include "imgtool/memory/match_listing.h"
#include "imgtool/memory/memory_image.h"
#include "imgtool/memory/memory_search.h"
#include "imgtool/memory/process_memory.h"
#include "imgtool/memory/process_strings.h"
#include "imgtool/octal_text.h"

namespace ckpt {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kRangeOption = "range";
constexpr std::string_view kOutputOption = "output";
constexpr std::string_view kFillOption = "fill";
constexpr std::string_view kJsonOption = "json";
constexpr std::string_view kNullOption = "null";
constexpr std::string_view kRegexOption = "regex";

bool Has(const Invocation& invocation, std::string_view option) {
  return invocation.options.count(std::string(option)) > 0;
}

std::string TextOf(const Invocation& invocation, std::string_view option) {
  return invocation.options[std::string(option)].as<std::string>();
}

Result<AddressRange> RangeOf(const Invocation& invocation) {
  if (!Has(invocation, kRangeOption)) return kAllAddresses;
  return ParseAddressRange(TextOf(invocation, kRangeOption));
}

Result<int> RunMap(const ProcessMemory& memory, const Invocation& invocation) {
  CKPT_TRY(const AddressRange range, RangeOf(invocation));
  std::ostream& out = invocation.streams.out;
  CKPT_TRY(Has(invocation, kJsonOption) ? ListMapAsJson(memory, range, out)
                                        : ListMap(memory, range, out));
  return kExitDone;
}

Result<int> RunDump(const ProcessMemory& memory, const Invocation& invocation) {
  if (!Has(invocation, kRangeOption)) {
    return MakeError(ErrorCode::kUsage, "dump: no --range given");
  }
  CKPT_TRY(const AddressRange range, RangeOf(invocation));
  const Gaps gaps = Has(invocation, kFillOption) ? Gaps::kZeros : Gaps::kRefused;
  const auto note = [&](const MemoryPiece& piece) {
    fmt::print(invocation.streams.err, "imgtool mem: {}, zeros are written\n",
               MissingPiece(memory, piece).message);
  };
  if (Has(invocation, kOutputOption)) {
    CKPT_TRY(WriteMemoryFile(memory, range, gaps, TextOf(invocation, kOutputOption), note));
  } else {
    CKPT_TRY(WriteMemory(memory, range, gaps, invocation.streams.out, note));
  }
  return kExitDone;
}

Result<int> RunHexdump(const ProcessMemory& memory, const Invocation& invocation) {
  CKPT_TRY(const AddressRange range, RangeOf(invocation));
  const bool wants_all = Has(invocation, kRangeOption);
  HexRows rows(invocation.streams.out);
  const auto add = [&](const MemoryPiece& piece, Bytes bytes) -> Result<bool> {
    if (piece.origin == PageOrigin::kStored) {
      rows.Add(piece.range.start, bytes);
    } else if (piece.origin == PageOrigin::kZero) {
      rows.AddZeros(piece.range.start, piece.range.size_bytes());
    } else if (wants_all || piece.origin != PageOrigin::kUnmapped) {
      rows.AddGap(piece.range.start, piece.range.end, WhyMissing(memory, piece));
    }
    return !!invocation.streams.out;
  };
  CKPT_TRY(memory.ForEachBytes(range, add));
  rows.Finish();
  return kExitDone;
}

Result<uint64_t> StoredBytes(const ProcessMemory& memory, AddressRange range) {
  uint64_t bytes = 0;
  CKPT_TRY(memory.ForEachPiece(range, [&](const MemoryPiece& piece) -> Result<bool> {
    if (piece.origin == PageOrigin::kStored) bytes += piece.range.size_bytes();
    return true;
  }));
  return bytes;
}

Result<int> RunSearch(const ProcessMemory& memory, const Invocation& invocation) {
  if (invocation.operands.size() < 4) {
    return MakeError(ErrorCode::kUsage, "search: no TEXT given");
  }
  const std::string& text = invocation.operands[3];
  CKPT_TRY(const auto pattern,
           Has(invocation, kRegexOption) ? MakeRegexPattern(text) : MakeTextPattern(text));
  CKPT_TRY(const AddressRange range, RangeOf(invocation));
  CKPT_TRY(const uint64_t total, StoredBytes(memory, range));
  std::ostream& out = invocation.streams.out;
  const auto listing =
      Has(invocation, kJsonOption) ? ListMatchesAsJson(memory, out) : ListMatches(memory, out);
  Progress progress("searching");
  const auto add = [&](const MemoryMatch& match) -> Result<bool> {
    listing->Add(match);
    return !listing->stopped();
  };
  CKPT_TRY(SearchMemory(memory, range, *pattern, add,
                        [&](uint64_t done) { progress.Update(done, total); }));
  listing->Finish();
  return kExitDone;
}

// The strings joined by `separator`, escaped; or as an array; or their own bytes.
void PrintStrings(const std::string& bytes, std::string_view separator,
                  const Invocation& invocation) {
  std::ostream& out = invocation.streams.out;
  if (Has(invocation, kNullOption)) {
    out << bytes;
    return;
  }
  const std::vector<std::string_view> strings = SplitStrings(bytes);
  if (Has(invocation, kJsonOption)) {
    JsonText text(out, JsonStyle::kPretty);
    text.BeginArray();
    for (const std::string_view string : strings) text.String(string);
    text.EndArray();
    text.EndDocument();
    text.Flush();
    return;
  }
  for (size_t i = 0; i < strings.size(); ++i) {
    out << (i == 0 ? "" : separator) << EscapeOctal(strings[i]);
  }
  if (!strings.empty()) out << '\n';
}

Result<int> RunArgs(const ProcessMemory& memory, const Invocation& invocation) {
  CKPT_TRY(const std::string bytes, ReadArguments(memory));
  PrintStrings(bytes, " ", invocation);
  return kExitDone;
}

Result<int> RunEnv(const ProcessMemory& memory, const Invocation& invocation) {
  CKPT_TRY(const std::string bytes, ReadEnvironment(memory));
  PrintStrings(bytes, "\n", invocation);
  return kExitDone;
}

struct Verb {
  std::string_view name;
  size_t max_operands;  // with DUMP, PID and itself
  std::array<std::string_view, 4> options;
  Result<int> (*run)(const ProcessMemory& memory, const Invocation& invocation);
};

constexpr std::array kVerbs = {
    Verb{"map", 3, {kRangeOption, kJsonOption}, RunMap},
    Verb{"dump", 3, {kRangeOption, kOutputOption, kFillOption}, RunDump},
    Verb{"hexdump", 3, {kRangeOption}, RunHexdump},
    Verb{"search", 4, {kRangeOption, kJsonOption, kRegexOption}, RunSearch},
    Verb{"args", 3, {kJsonOption, kNullOption}, RunArgs},
    Verb{"env", 3, {kJsonOption, kNullOption}, RunEnv},
};

Result<> CheckOptions(const Verb& verb, const Invocation& invocation) {
  for (const std::string_view option :
       {kRangeOption, kOutputOption, kFillOption, kJsonOption, kNullOption, kRegexOption}) {
    if (!Has(invocation, option) || std::ranges::count(verb.options, option) > 0) continue;
    return MakeError(ErrorCode::kUsage, "{}: --{} is not for it", verb.name, option);
  }
  if (invocation.operands.size() <= verb.max_operands) return success();
  return MakeError(ErrorCode::kUsage, "{}: one operand too many: '{}'", verb.name,
                   invocation.operands[verb.max_operands]);
}

Result<const Verb*> FindVerb(const Invocation& invocation) {
  const std::string_view name =
      invocation.operands.size() > 2 ? std::string_view(invocation.operands[2]) : kVerbs[0].name;
  const auto* const verb = std::ranges::find(kVerbs, name, &Verb::name);
  if (verb != kVerbs.end()) return verb;
  return MakeError(ErrorCode::kUsage, "'{}': expected map, dump, hexdump, search, args or env",
                   name);
}

}  // namespace

void AddMemOptions(po::options_description& options) {
  options.add_options()("range", po::value<std::string>()->value_name("RANGE"),
                        "only these addresses");
  options.add_options()("output,o", po::value<std::string>()->value_name("FILE"),
                        "dump: the bytes go there");
  options.add_options()("fill", "dump: zeros for what the dump does not hold");
  options.add_options()("regex", "search: TEXT is a regular expression");
  options.add_options()("null", "args, env: as they stand in memory, each ended by a zero byte");
  options.add_options()("json", "JSON instead of text");
  AddInputOptions(options);
}

Result<int> RunMem(const Invocation& invocation) {
  CKPT_TRY(const Verb* const verb, FindVerb(invocation));
  CKPT_TRY(CheckOptions(*verb, invocation));
  CKPT_TRY(const uint32_t pid, ParsePid(invocation.operands[1]));
  CKPT_TRY(const DumpInput input,
           DumpInput::Open(invocation.operands[0], invocation, NeedsMemoryImages));
  CKPT_TRY(const std::vector<DumpDirectory> chain, input.OpenChain());
  CKPT_TRY(DumpedProcess process, ReadDumpedProcess(chain.front(), pid));
  CKPT_TRY(const ProcessMemory memory, ProcessMemory::Open(chain, std::move(process)));
  return verb->run(memory, invocation);
}

}  // namespace ckpt
