#include "imgtool/rewrite_command.h"

#include <string>
#include <utility>

#include "imgtool/dump_analysis.h"
#include "imgtool/passes.h"
#include "imgtool/rewrite_output.h"
#include "imgtool/rewrite_rules.h"

namespace ckpt {

namespace {

Result<int> Analyze(const Invocation& invocation) {
  CKPT_TRY(const OpenedDump dump,
           OpenedDump::Open(invocation.operands[0], DumpAccess::kRead, std::nullopt,
                            ReadArchiveLimits(invocation.options)));
  CKPT_TRY(const auto rows, AnalyzeDump(dump.images()));
  const bool json = invocation.options.count("json") > 0;
  (json ? WriteJsonAnalysis : WriteTextAnalysis)(rows, invocation.streams.out);
  return kExitDone;
}

}  // namespace

void AddRewriteOptions(boost::program_options::options_description& options) {
  AddRewriteRuleOptions(options);
  options.add_options()("analyze", "print what there is to be rewritten");
  AddOutputOptions(options);
}

Result<int> RunRewrite(const Invocation& invocation) {
  if (invocation.options.count("analyze") > 0) return Analyze(invocation);
  CKPT_TRY(const OutputOptions output, ReadOutputOptions(invocation));
  CKPT_TRY(RewriteRules rules, ReadRewriteRules(invocation.options));
  if (rules.empty()) {
    return MakeError(ErrorCode::kUsage,
                     "nothing to rewrite was asked for; --analyze tells what "
                     "there is");
  }
  CKPT_TRY(OpenedDump dump, OpenForOutput(invocation.operands[0], output));
  CKPT_TRY(EditPlan plan, PlanRewrite(dump.images(), std::move(rules)));
  CKPT_TRY(WritePlan(dump, std::move(plan), output, invocation.streams));
  return kExitDone;
}

}  // namespace ckpt
