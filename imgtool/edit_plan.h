// The edits that a rewrite is made of: proposed by passes, shown in the report, applied at the end.
#ifndef IMGTOOL_EDIT_PLAN_H_
#define IMGTOOL_EDIT_PLAN_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace ckpt {

// An entry of an image of the dump.
struct EntryPlace {
  std::string image;  // file name
  size_t entry = 0;

  std::string Text() const;  // "files.img: entry 3"
  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the operator for a comparison with 0.
  friend auto operator<=>(const EntryPlace&, const EntryPlace&) = default;
};

// What a field holds: nothing, a number (the type of the field says how it is encoded), or bytes.
struct FieldAbsent {
  friend bool operator==(FieldAbsent, FieldAbsent) = default;
};
using FieldValue = std::variant<FieldAbsent, int64_t, std::string>;

// A number in decimal, bytes quoted and escaped, "(absent)".
std::string FieldText(const FieldValue& value);

struct Edit {
  EntryPlace place;
  std::string field;  // names from the entry's message inwards: "reg.name"
  FieldValue old_value;
  FieldValue new_value;
  std::string pass;      // the name of its row in the table of passes
  std::string evidence;  // why, in words
};

// What a pass saw and did not change, or could not verify.
struct PlanNote {
  std::string place;  // an entry's, an image's, or a union's; may be empty
  std::string text;
};

class EditPlan {
 public:
  // An edit that changes nothing is dropped, and so is one that another pass proposed already. Two
  // that give one field different values are an error (kUnsupported) that names both.
  Result<> Add(Edit edit);
  void AddNote(PlanNote note) { notes_.push_back(std::move(note)); }

  // By image and entry; those of one entry in the order of the passes.
  std::vector<const Edit*> edits() const;
  const std::vector<PlanNote>& notes() const { return notes_; }
  bool empty() const { return edits_.empty(); }

 private:
  std::vector<Edit> edits_;
  std::map<std::pair<EntryPlace, std::string>, size_t> by_field_;  // into edits_
  std::vector<PlanNote> notes_;
};

}  // namespace ckpt

#endif  // IMGTOOL_EDIT_PLAN_H_
