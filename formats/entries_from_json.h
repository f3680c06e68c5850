// The many small entries of an image, from JSON, by several threads: the text is cut into parts
// where entries seem to end, and each part is read by itself.
#ifndef FORMATS_ENTRIES_FROM_JSON_H_
#define FORMATS_ENTRIES_FROM_JSON_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/byte_sink.h"
#include "formats/json_reader.h"
#include "formats/json_schema.h"
#include "formats/wire_buffer.h"

namespace ckpt {

// Where a part really begins is known when the one before it was read to its end and ended with an
// entry. A part that does not is left to the caller, together with all behind it: a cut in the
// midst of an entry costs time, and errors are found by one reader, which knows where they are.
class EntriesFromJson {
 public:
  // `json` stands behind an entry, and more of this schema without extras follow: elements of an
  // array, or in lines.
  EntriesFromJson(JsonReader& json, const JsonMessageSchema& schema, bool lines, size_t threads,
                  const ByteSink& out);

  // Gives the bytes of entries, framed, to `out`, and says of how many; fails as `out` does. `json`
  // then stands behind the last one. Not all that could be read have to have been.
  Result<size_t> Read();

 private:
  struct Part {
    std::string text;
    JsonReader::Position position;
    WireBuffer wire;
    size_t count = 0;    // of its entries
    bool whole = false;  // it has nothing else
  };

  size_t PartSize(std::string_view text) const;
  void Parse(Part& part) const;
  bool ParseEntries(JsonReader& json, Part& part) const;
  void Take(const Part& part);

  JsonReader& json_;
  const JsonMessageSchema& schema_;
  bool lines_;
  size_t threads_;
  const ByteSink& out_;
  std::string border_;  // of two entries: from the end of one to the first key of the next
  std::vector<Part> parts_;
  size_t count_ = 0;
  Result<> done_ = success();
  bool left_ = false;  // to the caller: what follows
  JsonReader::Position left_at_;
  std::string left_text_;
};

}  // namespace ckpt

#endif  // FORMATS_ENTRIES_FROM_JSON_H_
