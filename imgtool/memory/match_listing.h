// The matches of a search, as they are printed.
#ifndef IMGTOOL_MEMORY_MATCH_LISTING_H_
#define IMGTOOL_MEMORY_MATCH_LISTING_H_

#include <memory>
#include <ostream>

#include "imgtool/memory/memory_search.h"
#include "imgtool/memory/process_memory.h"

namespace ckpt {

class MatchListing {
 public:
  virtual ~MatchListing() = default;
  virtual void Add(const MemoryMatch& match) = 0;
  virtual void Finish() {}
  // Nobody reads on.
  virtual bool stopped() const = 0;
};

// A line for each match: its address, permissions and name of its mapping, and the match with what
// stands beside it, in which what is not printable ASCII is a dot.
std::unique_ptr<MatchListing> ListMatches(const ProcessMemory& memory, std::ostream& out);

// An array with an object for each match; bytes are escaped as JsonText::String() does.
std::unique_ptr<MatchListing> ListMatchesAsJson(const ProcessMemory& memory, std::ostream& out);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_MATCH_LISTING_H_
