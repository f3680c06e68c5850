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

// What a field holds: nothing, a number (the type of the field says how it is encoded), bytes, or
// all the numbers of a repeated field.
struct FieldAbsent {
  friend bool operator==(FieldAbsent, FieldAbsent) = default;
};
using FieldNumbers = std::vector<int64_t>;
using FieldValue = std::variant<FieldAbsent, int64_t, std::string, FieldNumbers>;

// A number in decimal, bytes quoted and escaped, "[1, 2]", "(absent)".
std::string FieldText(const FieldValue& value);

struct Edit {
  EntryPlace place;
  // Names from the entry's message inwards, with the number of the occurrence (from 0) of a
  // repeated one: "reg.name", "ify.wd[1].f_handle.path". FieldNumbers are of the whole field, so
  // its name has no number.
  std::string field;
  FieldValue old_value;
  FieldValue new_value;
  std::string pass;      // the name of its row in the table of passes
  std::string evidence;  // why, in words
};

// An element of a repeated field of messages that becomes the last one of another, with what edits
// made of it: "controllers[0].dirs[0].children[1]", to "controllers[0].dirs".
struct Move {
  EntryPlace place;
  std::string from;
  std::string to;
  std::string pass;
  std::string evidence;
};

// An entry more at the end of an image, which is made where the dump has none of its name.
struct NewEntry {
  std::string image;  // a name that FindImageTypeByFileName knows
  std::string message;
  std::string extra;
  std::string pass;
  std::string evidence;
};

// What a new file holds: `bytes`, then all of the file `source` where one is named, then a hole.
struct FileContent {
  std::string bytes;
  std::string source;
  uint64_t hole_bytes = 0;

  friend bool operator==(const FileContent&, const FileContent&) = default;
};

// A file more in the dump, or other content for one that there is: ghosts, erased pages.
struct NewFile {
  std::string name;
  FileContent content;
  bool replaces = false;  // the dump has a file of that name, else it has none
  std::string pass;
  std::string evidence;
};

// Zeros for the bytes behind the messages of an image: what pipes, sockets and files held.
struct Erasure {
  std::string pass;
  std::string evidence;
};

// Another name for a file of the dump, as the number of a device in it changes.
struct FileRename {
  std::string from;
  std::string to;
  std::string pass;
  std::string evidence;
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
  // One for what is moved already is dropped.
  void AddMove(Move move) { moves_.try_emplace({move.place, move.from}, std::move(move)); }
  // An entry that is there already with the same bytes is dropped.
  void AddEntry(NewEntry entry);
  // Two that give one file different content, or one file two names or two files one name, are an
  // error (kUnsupported) that names both passes.
  Result<> AddFile(NewFile file);
  Result<> AddRename(FileRename rename);
  void EraseExtras(std::string image, std::string pass, std::string evidence) {
    erasures_.try_emplace(std::move(image), Erasure{std::move(pass), std::move(evidence)});
  }
  void AddNote(PlanNote note) { notes_.push_back(std::move(note)); }

  // By image and entry; those of one entry in the order of the passes.
  std::vector<const Edit*> edits() const;
  // By place and field, by image and bytes, by name, by old name: the order in which they were
  // added does not show.
  std::vector<const Move*> moves() const;
  std::vector<const NewEntry*> new_entries() const;
  const std::map<std::string, NewFile>& new_files() const { return new_files_; }
  const std::map<std::string, FileRename>& renames() const { return renames_; }
  const std::map<std::string, Erasure>& erasures() const { return erasures_; }  // by image
  const std::vector<PlanNote>& notes() const { return notes_; }
  bool empty() const {
    return edits_.empty() && new_entries_.empty() && new_files_.empty() && renames_.empty() &&
           erasures_.empty() && moves_.empty();
  }

 private:
  std::vector<Edit> edits_;
  std::map<std::pair<EntryPlace, std::string>, size_t> by_field_;        // into edits_
  std::map<std::pair<EntryPlace, std::string>, Move> moves_;             // by what is moved
  std::map<std::pair<std::string, std::string>, NewEntry> new_entries_;  // by image and message
  std::map<std::string, NewFile> new_files_;
  std::map<std::string, FileRename> renames_;
  std::map<std::string, Erasure> erasures_;
  std::vector<PlanNote> notes_;
};

}  // namespace ckpt

#endif  // IMGTOOL_EDIT_PLAN_H_
