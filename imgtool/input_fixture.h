// For tests of what takes a DumpInput.
#ifndef IMGTOOL_INPUT_FIXTURE_H_
#define IMGTOOL_INPUT_FIXTURE_H_

#include <boost/program_options/parsers.hpp>
#include <boost/program_options/variables_map.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "imgtool/directory_fixture.h"
#include "imgtool/dump_input.h"

namespace ckpt {

class InputFixture : public DirectoryFixture {
 protected:
  // As a verb opens its operand, with its options and standard input.
  Result<DumpInput> Open(const std::string& operand, FileNeed need = NeedsImagesWithEntries,
                         OneImage one_image = OneImage::kAccepted) {
    namespace po = boost::program_options;
    po::options_description known;
    AddInputOptions(known);
    po::variables_map options;
    po::store(po::command_line_parser(options_).options(known).run(), options);
    std::istringstream in(stdin_);
    std::ostringstream out;
    return DumpInput::Open(operand, {options, {}, {in, out, out}}, need, one_image);
  }

  std::vector<std::string> options_;
  std::string stdin_;
};

}  // namespace ckpt

#endif  // IMGTOOL_INPUT_FIXTURE_H_
