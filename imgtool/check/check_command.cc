#include "imgtool/check/check_command.h"

#include <boost/program_options/value_semantic.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/check/check_dump.h"
#include "formats/image_type.h"
#include "imgtool/check/checked_chain.h"
#include "imgtool/check/finding_report.h"
#include "imgtool/check/root_check.h"
#include "imgtool/dump_input.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

// Of pages and other raw images the size is enough; of compressed pages there is a table at the
// end.
bool NeedsToCheck(std::string_view file_name) {
  return NeedsImagesWithEntries(file_name) || file_name.ends_with(".img.zst") ||
         (file_name.ends_with(".img") && !FindImageTypeByFileName(file_name));
}

Result<std::vector<CheckFinding>> FindingsOf(const std::string& directory,
                                             const Invocation& invocation) {
  CKPT_TRY(const CheckedChain chain, CheckedChain::Open(directory));
  CKPT_TRY(std::vector<CheckFinding> findings, CheckDump(chain.dump()));
  if (invocation.options.count("root") == 0) return findings;
  CKPT_TRY(const RootFiles root, RootFiles::Open(invocation.options["root"].as<std::string>()));
  CKPT_TRY(std::vector<CheckFinding> of_root, CheckRoot(chain.dump(), root));
  for (CheckFinding& finding : of_root) findings.push_back(std::move(finding));
  return findings;
}

Result<int> PrintRules(const Invocation& invocation) {
  if (!invocation.operands.empty()) {
    return MakeError(ErrorCode::kUsage, "--rules takes no DUMP");
  }
  const auto write = invocation.options.count("json") > 0 ? WriteJsonRules : WriteRules;
  write(invocation.streams.out);
  return kExitDone;
}

}  // namespace

void AddCheckOptions(po::options_description& options) {
  options.add_options()("root", po::value<std::string>()->value_name("ROOTFS"),
                        "compare the files of the dump with those below this directory");
  options.add_options()("json", "JSON instead of text");
  options.add_options()("rules", "print the table of rules, and check nothing");
  AddInputOptions(options);
}

Result<int> RunCheck(const Invocation& invocation) {
  if (invocation.options.count("rules") > 0) return PrintRules(invocation);
  if (invocation.operands.empty()) return MakeError(ErrorCode::kUsage, "no DUMP given");
  CKPT_TRY(const DumpInput dump, DumpInput::Open(invocation.operands[0], invocation, NeedsToCheck));
  CKPT_TRY(const auto findings, FindingsOf(dump.path(), invocation));
  const bool as_json = invocation.options.count("json") > 0;
  const auto write = as_json ? WriteJsonFindings : WriteFindings;
  write(findings, invocation.streams.out);
  return HasFindings(findings) ? kExitFindings : kExitDone;
}

}  // namespace ckpt
