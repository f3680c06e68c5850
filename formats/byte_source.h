// Where an image or its JSON comes from, read once from front to back: memory, a descriptor (a file
// or a pipe), or a stream.
#ifndef FORMATS_BYTE_SOURCE_H_
#define FORMATS_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // At least one byte, unless the end is reached: then 0.
  virtual Result<size_t> Read(std::span<std::byte> out) = 0;
  // How many bytes there are in all, where that is known before they are read.
  virtual std::optional<uint64_t> size_bytes() const { return std::nullopt; }
  // Passes over at most so many bytes without reading them, and says over how many; 0 where only
  // reading helps.
  virtual uint64_t Skip(uint64_t /*size_bytes*/) { return 0; }
};

// `bytes` must outlive it.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(bytes), size_bytes_(bytes.size()) {}
  Result<size_t> Read(std::span<std::byte> out) override;
  std::optional<uint64_t> size_bytes() const override { return size_bytes_; }

 private:
  Bytes bytes_;
  uint64_t size_bytes_;
};

// Reads on from where the descriptor stands, which stays the caller's.
class DescriptorSource : public ByteSource {
 public:
  DescriptorSource(int descriptor, std::string name);
  Result<size_t> Read(std::span<std::byte> out) override;
  // Of regular files, read from their start.
  std::optional<uint64_t> size_bytes() const override { return size_bytes_; }
  // In those, too.
  uint64_t Skip(uint64_t size_bytes) override;

 private:
  int descriptor_;
  std::string name_;
  std::optional<uint64_t> size_bytes_;
};

class StreamSource : public ByteSource {
 public:
  StreamSource(std::istream& in, std::string name) : in_(in), name_(std::move(name)) {}
  Result<size_t> Read(std::span<std::byte> out) override;

 private:
  std::istream& in_;
  std::string name_;
};

// The bytes of a source through a window that grows to what is asked for, as far as the source has
// it: a length that lies costs no memory.
class ByteWindow {
 public:
  explicit ByteWindow(ByteSource& source);

  // Makes `size_bytes` bytes visible, fewer only at the end of the source. Views that were given
  // out before become invalid.
  Result<> Fill(size_t size_bytes);

  // What is visible now.
  Bytes visible() const { return Bytes(buffer_.get() + begin_, end_ - begin_); }
  void Consume(size_t size_bytes);
  // Bytes that were consumed last, in front of what is visible.
  void PutBack(Bytes bytes);
  // Consumes that many bytes, visible or not, and says how many there were.
  Result<uint64_t> Skip(uint64_t size_bytes);

  // Where the first visible byte stands in the source.
  uint64_t offset() const { return offset_; }
  // How many bytes there are from there to the end, where the source knows its size.
  std::optional<uint64_t> remaining() const;

 private:
  void MakeRoom(size_t size_bytes);

  ByteSource& source_;
  std::unique_ptr<std::byte[]> buffer_;
  size_t capacity_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t offset_ = 0;
  bool at_end_ = false;
};

}  // namespace ckpt

#endif  // FORMATS_BYTE_SOURCE_H_
