#include "process/syscall_batch.h"

#include <algorithm>

#include "base/result.h"

namespace ckpt {

namespace {

constexpr size_t kAlignmentBytes = 16;

bool IsErrno(int64_t result) { return result < 0 && result >= -4095; }

}  // namespace

SyscallBatch::SyscallBatch(RemoteRange area, size_t max_calls)
    : area_(area), max_calls_(max_calls), image_(max_calls * sizeof(SyscallRecord)) {
  CKPT_CHECK(image_.size() <= area.size_bytes());
}

size_t SyscallBatch::Add(OnError on_error, long number,
                         std::initializer_list<SyscallArgument> arguments) {
  CKPT_CHECK(call_count_ < max_calls_);
  SyscallRecord record;
  CKPT_CHECK(arguments.size() <= record.arguments.size());
  record.number = number;
  record.stop_on_error = on_error == OnError::kStop ? 1 : 0;
  std::ranges::transform(arguments, record.arguments.begin(), &SyscallArgument::value);
  PutRecord(call_count_, record);
  return call_count_++;
}

void SyscallBatch::PassResult(size_t from, size_t to, size_t argument) {
  CKPT_CHECK(from < to && to < call_count_);
  SyscallRecord source = record(from);
  source.store_result =
      AddressOfRecord(to) + offsetof(SyscallRecord, arguments) + argument * sizeof(uint64_t);
  PutRecord(from, source);
}

RemotePtr SyscallBatch::Reserve(size_t size_bytes) {
  const size_t at = image_.size();
  const size_t padded = (size_bytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
  CKPT_CHECK(padded <= area_.size_bytes() - at);
  image_.resize(at + padded);
  return RemotePtr(area_.start + at);
}

RemotePtr SyscallBatch::PutBytes(Bytes bytes) {
  const RemotePtr pointer = Reserve(bytes.size());
  Fill(pointer, bytes);
  return pointer;
}

RemotePtr SyscallBatch::PutString(std::string_view text) {
  const RemotePtr pointer = Reserve(text.size() + 1);
  Fill(pointer, AsBytes(text));
  return pointer;
}

void SyscallBatch::Fill(RemotePtr pointer, Bytes bytes) {
  const size_t at = pointer.address() - area_.start;
  std::ranges::copy(bytes, image_.begin() + static_cast<std::ptrdiff_t>(at));
}

bool SyscallBatch::Fits(size_t calls, size_t data_bytes) const {
  return calls <= max_calls_ - call_count_ &&
         data_bytes + kAlignmentBytes <= area_.size_bytes() - image_.size();
}

int64_t SyscallBatch::result(size_t index) const { return record(index).result; }

Bytes SyscallBatch::Output(RemotePtr pointer, size_t size_bytes) const {
  CKPT_CHECK(pointer.address() >= area_.start);
  const size_t at = pointer.address() - area_.start;
  CKPT_CHECK(at <= image_.size() && size_bytes <= image_.size() - at);
  return Bytes(image_).subspan(at, size_bytes);
}

size_t SyscallBatch::first_failure() const {
  for (size_t i = 0; i < call_count_; ++i) {
    const SyscallRecord made = record(i);
    if (made.stop_on_error != 0 && IsErrno(made.result)) return i;
  }
  return call_count_;
}

SyscallRecord SyscallBatch::record(size_t index) const {
  CKPT_CHECK(index < call_count_);
  return OutputObject<SyscallRecord>(RemotePtr(AddressOfRecord(index)));
}

void SyscallBatch::PutRecord(size_t index, const SyscallRecord& record) {
  std::memcpy(image_.data() + index * sizeof(SyscallRecord), &record, sizeof(record));
}

}  // namespace ckpt
