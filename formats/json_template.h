// Messages as JSON by a form that is made once for all entries of an image: what JsonMessageWriter
// finds out for each field, here stands ready as text.
#ifndef FORMATS_JSON_TEMPLATE_H_
#define FORMATS_JSON_TEMPLATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "formats/json_schema.h"
#include "formats/json_text.h"
#include "formats/wire_cursor.h"

namespace ckpt {

// For any number of threads at once.
class JsonTemplate {
 public:
  // Of objects in whose members `depth` objects and arrays are open. The schema must outlive it.
  JsonTemplate(const JsonMessageSchema& schema, JsonStyle spelling, JsonStyle layout, size_t depth);

  // The members of `message` to `at`, as JsonMessageWriter has them; gives their end. Null, with
  // anything from `at` to `end`, where they do not fit before `end`, where encoding them would not
  // give the bytes of `message` back, and where a message is beyond templates: one with repeated
  // fields, bytes, or text that needs escapes.
  char* WriteMembers(Bytes message, char* at, char* end) const;

 private:
  enum class Form : uint8_t { kUnsigned, kSigned, kHex, kTable, kText, kMessage, kOther };

  struct Field {
    const JsonFieldSchema* schema = nullptr;
    Form form = Form::kOther;
    uint64_t tag = 0;
    uint64_t most = 0;               // of kUnsigned and kHex
    std::string key;                 // with the comma, line end and indent before it
    size_t key_size = 0;             // without what fills it up
    std::vector<std::string> small;  // of kTable: the first values, as they stand in JSON
    std::unique_ptr<JsonTemplate> message;
  };

  Field MakeField(const JsonFieldSchema& schema, size_t depth) const;
  void SetForm(const JsonFieldSchema& schema, Field& field) const;
  std::string NumberText(const JsonFieldSchema& schema, uint64_t wire) const;
  const Field* FindField(uint64_t tag) const;
  char* WriteValue(const Field& field, WireCursor& cursor, char* at, char* end) const;
  char* WriteTable(const Field& field, uint64_t value, char* at, char* end) const;
  static char* WriteObject(const Field& field, Bytes message, char* at, char* end);

  const JsonMessageSchema& schema_;
  JsonStyle spelling_;
  JsonStyle layout_;
  size_t depth_;
  size_t comma_size_;  // what of a key the first one does not have
  std::string close_;  // the line end and indent before the brace that ends the object
  std::vector<Field> fields_;
};

}  // namespace ckpt

#endif  // FORMATS_JSON_TEMPLATE_H_
