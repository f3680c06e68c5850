#include "imgtool/rewrite_output.h"

#include <boost/program_options/value_semantic.hpp>

#include "imgtool/finalize_plan.h"
#include "imgtool/plan_report.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

Result<PlanOutcome> CarryOut(OpenedDump& dump, const EditPlan& plan, const OutputOptions& options) {
  if (options.dry_run) return dump.Try(plan);
  if (options.in_place) return dump.Replace(plan);
  return dump.WriteNew(plan, *options.out);
}

}  // namespace

void AddOutputOptions(po::options_description& options) {
  options.add_options()("output,o", po::value<std::string>()->value_name("OUT"),
                        "write the changed dump to this new directory or archive");
  options.add_options()("in-place",
                        "change DUMP itself, in one step; `imgtool undo` takes it back");
  options.add_options()("dry-run,n", "only report; write nothing");
  options.add_options()("json", "report as JSON");
  AddArchiveLimitOptions(options);
  AddImageLimitOption(options);
}

Result<OutputOptions> ReadOutputOptions(const Invocation& invocation) {
  const po::variables_map& given = invocation.options;
  OutputOptions options{.out = std::nullopt,
                        .in_place = given.count("in-place") > 0,
                        .dry_run = given.count("dry-run") > 0,
                        .json = given.count("json") > 0,
                        .limits = ReadArchiveLimits(given)};
  if (given.count("output") > 0) options.out = given["output"].as<std::string>();
  if (options.out && options.in_place) {
    return MakeError(ErrorCode::kUsage, "-o and --in-place exclude each other");
  }
  if (!options.out && !options.in_place && !options.dry_run) {
    return MakeError(ErrorCode::kUsage,
                     "one of -o OUT, --in-place and --dry-run is needed: nothing is written over "
                     "the input without --in-place");
  }
  return options;
}

Result<OpenedDump> OpenForOutput(const std::string& path, const OutputOptions& options) {
  const bool replaces = options.in_place && !options.dry_run;
  return OpenedDump::Open(path, replaces ? DumpAccess::kReplace : DumpAccess::kRead,
                          options.dry_run ? std::nullopt : options.out, options.limits);
}

Result<> WritePlan(OpenedDump& dump, EditPlan plan, const OutputOptions& options,
                   const Streams& streams) {
  CKPT_TRY(FinalizePlan(dump.images(), plan));
  CKPT_TRY(const PlanOutcome outcome, CarryOut(dump, plan, options));
  const auto write = options.json ? WriteJsonReport : WriteTextReport;
  write(plan, outcome, streams.out);
  return success();
}

}  // namespace ckpt
