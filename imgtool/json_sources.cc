#include "imgtool/json_sources.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <strings.h>

#include <vector>

namespace ckpt {

namespace {

struct FoundSource {
  size_t end;  // behind its closing quote
  std::string value;
};

// Notes where values end; rapidjson calls a handler when it is just behind one.
class SourceFinder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, SourceFinder> {
 public:
  explicit SourceFinder(const rapidjson::MemoryStream& stream) : stream_(stream) {}

  bool Default() {
    is_source_ = false;
    return true;
  }
  bool Key(const char* name, rapidjson::SizeType length, bool) {
    is_source_ = length == 6 && strncasecmp(name, "source", length) == 0;
    return true;
  }
  bool String(const char* value, rapidjson::SizeType length, bool) {
    if (is_source_) found_.push_back({stream_.Tell(), std::string(value, length)});
    return Default();
  }

  const std::vector<FoundSource>& found() const { return found_; }

 private:
  const rapidjson::MemoryStream& stream_;
  bool is_source_ = false;
  std::vector<FoundSource> found_;
};

std::string Quoted(const std::string& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  return buffer.GetString();
}

// Where a string that ends before `end` begins: at the quote before it that no odd number of
// backslashes precedes.
size_t StartOfString(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (true) {
    at = text.rfind('"', at - 1);
    size_t backslashes = 0;
    while (backslashes < at && text[at - backslashes - 1] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return at;
  }
}

}  // namespace

Result<ChangedSources> ChangeJsonSources(std::string_view text, const SourceChange& change) {
  // Without recursion: the depth is the text's, the stack ours.
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseStopWhenDoneFlag;
  rapidjson::MemoryStream stream(text.data(), text.size());
  SourceFinder finder(stream);
  rapidjson::Reader reader;
  const rapidjson::ParseResult parsed = reader.Parse<kFlags>(stream, finder);
  if (parsed.IsError()) {
    return MakeError(ErrorCode::kBadFormat, "at offset {}: {}", parsed.Offset(),
                     rapidjson::GetParseError_En(parsed.Code()));
  }
  ChangedSources changed;
  size_t copied = 0;
  for (const FoundSource& found : finder.found()) {
    const auto value = change(found.value);
    if (!value || *value == found.value) continue;
    const size_t start = StartOfString(text, found.end);
    changed.text += text.substr(copied, start - copied);
    changed.text += Quoted(*value);
    copied = found.end;
    ++changed.count;
  }
  changed.text += text.substr(copied);
  return changed;
}

}  // namespace ckpt
