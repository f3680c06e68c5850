// The standard error of a command, in which no path of a temporary directory is to be seen.
#ifndef IMGTOOL_SHOWN_TEXT_STREAM_H_
#define IMGTOOL_SHOWN_TEXT_STREAM_H_

#include <ostream>
#include <streambuf>

namespace ckpt {

// A buffer for an ostream. Passes each piece of text that is written on to `sink` through
// ShownText(), and flushes it. A path must be in one piece.
class ShownTextBuffer : public std::streambuf {
 public:
  explicit ShownTextBuffer(std::ostream& sink) : sink_(sink) {}

 protected:
  int_type overflow(int_type next) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;

 private:
  std::ostream& sink_;
};

}  // namespace ckpt

#endif  // IMGTOOL_SHOWN_TEXT_STREAM_H_
