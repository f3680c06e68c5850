// The mappings of a process with their usage, from /proc/PID/smaps.
#ifndef PROCESS_SMAPS_H_
#define PROCESS_SMAPS_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "process/mapping.h"

namespace ckpt {

// Parses the text of /proc/PID/smaps in pieces, cut anywhere. kBadFormat names line and text.
class SmapsParser {
 public:
  Result<> Feed(std::string_view piece);
  // After the last piece.
  Result<std::vector<Mapping>> Finish();

 private:
  // The lines between that of a mapping and its VmFlags, of which a few are wanted: the kernel
  // prints the same for each mapping, and pads numbers.
  struct Layout {
    struct Field {
      size_t offset;
      size_t size;
    };
    std::vector<Field> wanted;
    size_t line_count = 0;
    size_t end = 0;  // where VmFlags begin
  };

  Result<> ParseLine(std::string_view line);
  // Learns the layout from the first mapping that is whole.
  void Learn(std::string_view line, bool is_wanted);
  // Behind the line of a mapping: takes the lines that are as the layout says, or none.
  void SkipByLayout(std::string_view& piece);

  std::vector<Mapping> mappings_;
  std::string begun_;  // the line that the last piece ended in
  size_t line_number_ = 0;
  Layout layout_;
  bool is_learnt_ = false;
};

// The whole text.
Result<std::vector<Mapping>> ParseSmaps(std::string_view text);

// VmFlags exist nowhere else, and smaps walks the page tables for its sizes: 4 us for each mapping
// and 18 ms for each GB of 4 KB pages, measured on 6.18 (ReadMappings: 1 us for each mapping,
// whatever is in it). So when the process is frozen and large, start with ReadMappings and read
// smaps on another thread meanwhile. Large ones are parsed while more is read.
Result<std::vector<Mapping>> ReadSmaps(pid_t pid);

}  // namespace ckpt

#endif  // PROCESS_SMAPS_H_
