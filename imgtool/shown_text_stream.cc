#include "imgtool/shown_text_stream.h"

#include <string>

#include "imgtool/temporary_directory.h"

namespace ckpt {

ShownTextBuffer::int_type ShownTextBuffer::overflow(int_type next) {
  if (traits_type::eq_int_type(next, traits_type::eof())) return traits_type::not_eof(next);
  sink_.put(traits_type::to_char_type(next));
  return sink_.flush() ? next : traits_type::eof();
}

std::streamsize ShownTextBuffer::xsputn(const char* text, std::streamsize size) {
  sink_ << ShownText(std::string(text, static_cast<size_t>(size)));
  return sink_.flush() ? size : 0;
}

}  // namespace ckpt
