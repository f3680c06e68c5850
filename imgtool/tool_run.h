// For tests: a run of imgtool inside the test's own process, and what came of it.
#ifndef IMGTOOL_TOOL_RUN_H_
#define IMGTOOL_TOOL_RUN_H_

#include <sstream>
#include <string>
#include <vector>

#include "imgtool/program.h"

namespace ckpt {

struct ToolRun {
  int code = -1;
  std::string out;
  std::string err;
};

inline ToolRun RunTool(const std::vector<std::string>& args) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  const int code = RunImgtool(args, {in, out, err});
  return {code, out.str(), err.str()};
}

}  // namespace ckpt

#endif  // IMGTOOL_TOOL_RUN_H_
