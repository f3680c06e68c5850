#include "imgtool/descriptor_stream.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace ckpt {

DescriptorBuffer::DescriptorBuffer(int descriptor) : descriptor_(descriptor) {
  setp(buffer_.data(), buffer_.data() + buffer_.size());
}

DescriptorBuffer::~DescriptorBuffer() { FlushBuffer(); }

bool DescriptorBuffer::WriteOut(const char* text, std::streamsize size) {
  while (size > 0 && error_number_ == 0) {
    const ssize_t written = write(descriptor_, text, static_cast<size_t>(size));
    if (written >= 0) {
      text += written;
      size -= written;
    } else if (errno != EINTR) {
      error_number_ = errno;
    }
  }
  return error_number_ == 0;
}

bool DescriptorBuffer::FlushBuffer() {
  const bool done = WriteOut(pbase(), pptr() - pbase());
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  return done;
}

DescriptorBuffer::int_type DescriptorBuffer::overflow(int_type next) {
  if (!FlushBuffer()) return traits_type::eof();
  if (!traits_type::eq_int_type(next, traits_type::eof())) {
    *pptr() = traits_type::to_char_type(next);
    pbump(1);
  }
  return traits_type::not_eof(next);
}

DescriptorBuffer::int_type DescriptorBuffer::underflow() {
  ssize_t size = 0;
  do {
    size = read(descriptor_, buffer_.data(), buffer_.size());
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return traits_type::eof();
  setg(buffer_.data(), buffer_.data(), buffer_.data() + size);
  return traits_type::to_int_type(*gptr());
}

std::streamsize DescriptorBuffer::xsputn(const char* text, std::streamsize size) {
  if (size < epptr() - pptr()) return std::streambuf::xsputn(text, size);
  return FlushBuffer() && WriteOut(text, size) ? size : 0;
}

int DescriptorBuffer::sync() { return FlushBuffer() ? 0 : -1; }

}  // namespace ckpt
