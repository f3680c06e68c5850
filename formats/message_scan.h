// One quick look over the wire bytes of a message: is it sound, can it be written as JSON field
// after field, and would JSON give its very bytes back.
#ifndef FORMATS_MESSAGE_SCAN_H_
#define FORMATS_MESSAGE_SCAN_H_

#include <cstdint>
#include <string>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/json_schema.h"

namespace ckpt {

// Why the bytes of a message are not those that encoding its JSON gives: bits of a set.
enum class Inexact : uint8_t {
  kUnknownFields = 1,  // numbers or wire types that we do not know
  kOrder = 2,          // fields not by ascending number
  kTwice = 4,          // a field that is not repeated, more than once
  kNumbers = 8,        // varints longer than needed, or with bits beyond the type
  kPacking = 16,       // repeated numbers packed where protobuf does not, or the reverse
  kText = 32,          // a socket name whose spelling loses its line ends
};

// "unknown fields, order of fields"
std::string DescribeInexact(uint8_t causes);

struct MessageScan {
  // It has the required fields and a sound encoding. False where that is not certain yet: protobuf
  // has the last word.
  bool sound = true;
  // In it and in all messages inside, fields are by ascending number and none is twice that is not
  // repeated.
  bool ordered = true;
  uint8_t inexact = 0;  // a set of Inexact
  uint64_t unknown_fields = 0;
};

MessageScan ScanMessage(const JsonMessageSchema& schema, Bytes message);

}  // namespace ckpt

#endif  // FORMATS_MESSAGE_SCAN_H_
