// Bytes that a command reads once from front to back: a file, a pipe, or the standard input that a
// test gives it. Their start can be looked at beforehand.
#ifndef IMGTOOL_INPUT_SOURCE_H_
#define IMGTOOL_INPUT_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>

#include "base/byte_reader.h"
#include "base/file.h"
#include "base/result.h"

namespace ckpt {

class InputSource {
 public:
  // `name` is for errors; the stream must outlive this object.
  static Result<InputSource> OfFile(const std::string& path);
  static InputSource OfStream(std::istream& in, std::string name) {
    return InputSource(std::move(name), UniqueFd(), &in);
  }

  const std::string& name() const { return name_; }

  // The first bytes, as many as there are but not more than asked for, which Read() returns, too.
  // Before any Read().
  Result<Bytes> Peek(size_t size_bytes);
  // The next bytes, valid until the next call; none at the end.
  Result<Bytes> Read();
  // Passes over at most so many bytes without reading them, and says over how many; 0 where only
  // reading helps.
  uint64_t Skip(uint64_t size_bytes);

  // How much of a regular file was read or passed over, and its size; nothing of anything else.
  struct Position {
    uint64_t done_bytes = 0;
    uint64_t total_bytes = 0;
  };
  std::optional<Position> FindPosition() const;

 private:
  InputSource(std::string name, UniqueFd fd, std::istream* in)
      : name_(std::move(name)), fd_(std::move(fd)), in_(in) {}

  Result<size_t> ReadInto(char* room, size_t size_bytes);

  std::string name_;
  UniqueFd fd_;
  std::istream* in_;
  std::string buffer_;
  std::string head_;  // peeked at, and not read yet
};

}  // namespace ckpt

#endif  // IMGTOOL_INPUT_SOURCE_H_
