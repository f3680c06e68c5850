// What all rewriting commands have in common: the options that say where the changed dump goes, and
// the way from a plan to the report.
#ifndef IMGTOOL_REWRITE_OUTPUT_H_
#define IMGTOOL_REWRITE_OUTPUT_H_

#include <boost/program_options/options_description.hpp>
#include <optional>
#include <string>

#include "base/result.h"
#include "imgtool/archive_walk.h"
#include "imgtool/command.h"
#include "imgtool/edit_plan.h"
#include "imgtool/opened_dump.h"

namespace ckpt {

struct OutputOptions {
  std::optional<std::string> out;
  bool in_place = false;
  bool dry_run = false;
  bool json = false;
  ArchiveLimits limits;
};

// -o, --in-place, --dry-run, --json, and the limits on archives.
void AddOutputOptions(boost::program_options::options_description& options);

// kUsage where -o and --in-place are both given, or none of the three.
Result<OutputOptions> ReadOutputOptions(const Invocation& invocation);

// The dump at `path`, locked where it is to be changed itself.
Result<OpenedDump> OpenForOutput(const std::string& path, const OutputOptions& options);

// Finalizes the plan, carries it out where the options say so, and reports to streams.out.
Result<> WritePlan(OpenedDump& dump, EditPlan plan, const OutputOptions& options,
                   const Streams& streams);

}  // namespace ckpt

#endif  // IMGTOOL_REWRITE_OUTPUT_H_
