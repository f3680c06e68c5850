#include "restorer/remote_calls.h"

#include <utility>

namespace ckpt {

RemoteCalls::RemoteCalls(const RemoteSyscalls& engine, Tracee& thread, size_t max_calls)
    : engine_(engine), thread_(thread), max_calls_(max_calls), batch_(engine.NewBatch(max_calls)) {}

Result<> RemoteCalls::MakeRoom(size_t calls, size_t data_bytes) {
  if (batch_.Fits(calls, data_bytes)) return success();
  CKPT_TRY(Flush());
  if (batch_.Fits(calls, data_bytes)) return success();
  return MakeError(ErrorCode::kUnsupported, "{} calls with {} bytes of data do not fit in a batch",
                   calls, data_bytes);
}

void RemoteCalls::Add(std::string name, long number,
                      std::initializer_list<SyscallArgument> arguments,
                      std::optional<int64_t> result) {
  batch_.Add(SyscallBatch::OnError::kStop, number, arguments);
  calls_.push_back({.name = std::move(name), .wanted_only = false, .result = result});
}

void RemoteCalls::AddWanted(std::string name, long number,
                            std::initializer_list<SyscallArgument> arguments) {
  batch_.Add(SyscallBatch::OnError::kGoOn, number, arguments);
  calls_.push_back({.name = std::move(name), .wanted_only = true, .result = std::nullopt});
}

Result<> RemoteCalls::Call(std::string name, long number,
                           std::initializer_list<SyscallArgument> arguments) {
  CKPT_TRY(MakeRoom(1, 0));
  Add(std::move(name), number, arguments);
  return success();
}

Result<> RemoteCalls::Flush() {
  if (batch_.call_count() == 0) return success();
  CKPT_TRY(engine_.Run(thread_, batch_));
  const size_t failed = batch_.first_failure();
  for (size_t i = 0; i < calls_.size(); ++i) {
    const int64_t result = batch_.result(i);
    Expectation& call = calls_[i];
    if (call.wanted_only) {
      if (result < 0) {
        warnings_.push_back(ErrnoErrorText(static_cast<int>(-result), call.name).message);
      }
    } else if (i == failed) {
      return ErrnoErrorText(static_cast<int>(-result), std::move(call.name));
    } else if (call.result && result != *call.result) {
      return MakeError(ErrorCode::kSystem, "{}: returned {}, expected {}", call.name, result,
                       *call.result);
    }
  }
  batch_ = engine_.NewBatch(max_calls_);
  calls_.clear();
  return success();
}

}  // namespace ckpt
