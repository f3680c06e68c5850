#include "formats/entries_from_json.h"

#include <climits>
#include <utility>

#include "formats/byte_source.h"
#include "formats/ordered_work.h"
#include "formats/wire_from_json.h"

namespace ckpt {
namespace {

// Less is not worth a thread.
constexpr size_t kLeastPartBytes = size_t{32} << 10;

// What stands between the end of an entry and the end of the first key of the next one, which
// `text` begins with. In an entry no array of objects that begin with this key is expected.
std::string FindBorder(std::string_view text) {
  const size_t begin = text.find_first_not_of(", \t\r\n");
  if (begin == std::string_view::npos || text[begin] != '{') return {};
  const size_t key = text.find_first_not_of(" \t\r\n", begin + 1);
  if (key == std::string_view::npos || text[key] != '"') return {};
  const size_t end = text.find('"', key + 1);
  if (end == std::string_view::npos) return {};
  return '}' + std::string(text.substr(0, end + 1));
}

}  // namespace

EntriesFromJson::EntriesFromJson(JsonReader& json, const JsonMessageSchema& schema, bool lines,
                                 size_t threads, const ByteSink& out)
    : json_(json),
      schema_(schema),
      lines_(lines),
      threads_(threads),
      out_(out),
      parts_(2 * threads + 1) {}

Result<size_t> EntriesFromJson::Read() {
  border_ = FindBorder(json_.LookAhead());
  if (border_.empty()) return 0;
  {
    OrderedWork work(threads_, parts_.size());
    while (true) {
      const std::string_view text = json_.LookAhead();
      const size_t size = PartSize(text);
      if (size < kLeastPartBytes) break;
      // Makes the part that is next free.
      work.WaitForRoom();
      if (left_ || !done_) break;
      Part& part = parts_[work.next_number() % parts_.size()];
      part.text.assign(text.substr(0, size));
      part.position = json_.PassOver(size);
      work.Add([this, &part] { Parse(part); }, [this, &part] { Take(part); });
    }
    work.Finish();
  }
  if (left_) json_.GoBack(left_at_, left_text_);
  if (!done_) return std::move(done_).error();
  return count_;
}

// Up to the last end of an entry; 0 where none is to be seen.
size_t EntriesFromJson::PartSize(std::string_view text) const {
  const size_t last = text.rfind(border_);
  return last == std::string_view::npos ? 0 : last + 1;
}

// On any thread.
void EntriesFromJson::Parse(Part& part) const {
  part.wire.Clear();
  part.count = 0;
  MemorySource source(AsBytes(part.text));
  JsonReader json(std::string(), source);
  part.whole = ParseEntries(json, part);
}

bool EntriesFromJson::ParseEntries(JsonReader& json, Part& part) const {
  constexpr size_t kLengthBytes = 4;
  WireFromJson entries(json, part.wire);
  while (!json.AtTextEnd()) {
    if (!lines_ && json.NextElement(/*first=*/false) != JsonStep::kItem) return false;
    part.wire.AppendLittleEndian(0, kLengthBytes);
    const size_t begin = part.wire.size();
    if (!entries.ReadMessage(schema_)) return false;
    const size_t size = part.wire.size() - begin;
    if (size > INT_MAX) return false;
    part.wire.PutU32(static_cast<uint32_t>(size), begin - kLengthBytes);
    ++part.count;
  }
  return true;
}

void EntriesFromJson::Take(const Part& part) {
  if (!left_ && part.whole) {
    if (done_) done_ = out_(part.wire.From(0));
    count_ += part.count;
    return;
  }
  if (!left_) left_at_ = part.position;
  left_ = true;
  left_text_ += part.text;
}

}  // namespace ckpt
