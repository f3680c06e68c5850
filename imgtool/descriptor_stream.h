// Standard streams over file descriptors that remember why a write failed, which std::cout does
// not.
#ifndef IMGTOOL_DESCRIPTOR_STREAM_H_
#define IMGTOOL_DESCRIPTOR_STREAM_H_

#include <array>
#include <streambuf>

namespace ckpt {

// A buffer for an istream or an ostream on `descriptor`, which stays the caller's. What is written
// reaches it in large pieces; the destructor flushes.
class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor);
  DescriptorBuffer(const DescriptorBuffer&) = delete;
  DescriptorBuffer& operator=(const DescriptorBuffer&) = delete;
  ~DescriptorBuffer() override;

  // errno of the first write that failed, 0 while none has. After a failure nothing more is
  // written.
  int error_number() const { return error_number_; }

 protected:
  int_type overflow(int_type next) override;
  int_type underflow() override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  bool WriteOut(const char* text, std::streamsize size);
  bool FlushBuffer();

  int descriptor_;
  int error_number_ = 0;
  std::array<char, 64 * 1024> buffer_;
};

}  // namespace ckpt

#endif  // IMGTOOL_DESCRIPTOR_STREAM_H_
