// What a dump holds that the options of `imgtool rewrite` could touch.
#ifndef IMGTOOL_DUMP_ANALYSIS_H_
#define IMGTOOL_DUMP_ANALYSIS_H_

#include <cstddef>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "base/result.h"
#include "imgtool/image_source.h"

namespace ckpt {

struct AnalysisRow {
  std::string option;                         // that could touch it: "--path"
  std::string what;                           // in words: "paths"
  std::map<std::string, size_t> field_count;  // by value, of how many fields; numbers in decimal
};

Result<std::vector<AnalysisRow>> AnalyzeDump(const ImageSource& images);

// A heading for each row that has values, and a line for each value.
void WriteTextAnalysis(const std::vector<AnalysisRow>& rows, std::ostream& out);
// An array of objects: option, what, values (an array of value and count).
void WriteJsonAnalysis(const std::vector<AnalysisRow>& rows, std::ostream& out);

}  // namespace ckpt

#endif  // IMGTOOL_DUMP_ANALYSIS_H_
