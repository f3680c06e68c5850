#include "imgtool/temporary_directory.h"

#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

namespace ckpt {
namespace {

// All temporary directories of the process, by path.
struct Registry {
  std::mutex mutex;
  std::map<std::string, std::string> shown_as;  // of those that are gone, too: errors outlive them
  std::set<std::string> present;
  bool is_ending = false;  // a signal came: nothing new may appear
};

// Never destroyed: the thread that waits for signals outlives main.
Registry& AllDirectories() {
  static Registry* const registry = new Registry;
  return *registry;
}

std::atomic<bool> watches_signals = false;

// While another thread puts more into it, the first try may not do; it ends when it misses a
// folder.
void RemoveTree(const std::string& path) {
  constexpr int kTries = 100;
  std::error_code ignored;
  for (int i = 0; i < kTries && std::filesystem::exists(path, ignored); ++i) {
    std::filesystem::remove_all(path, ignored);
  }
}

// Ends the process by that signal, as it would have ended without us.
void EndBySignal(int signal) {
  Registry& all = AllDirectories();
  const std::lock_guard lock(all.mutex);
  all.is_ending = true;
  for (const std::string& path : all.present) RemoveTree(path);
  std::signal(signal, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  std::raise(signal);
}

// What the caller of the process ignores stays ignored.
sigset_t SignalsThatEnd() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    struct sigaction action = {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_DFL) sigaddset(&set, signal);
  }
  return set;
}

// A thread, as removing directories is nothing that a signal handler may do. Threads that exist
// already are ended by the signal as ever, so this comes before all work.
void StartWatching() {
  static const bool started = [] {
    static const sigset_t set = SignalsThatEnd();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::thread([] {
      int signal = 0;
      if (sigwait(&set, &signal) == 0) EndBySignal(signal);
    }).detach();
    return true;
  }();
  static_cast<void>(started);
}

std::string TemplatePath() {
  const char* const folder = getenv("TMPDIR");
  return std::string(folder != nullptr && *folder != '\0' ? folder : "/var/tmp") +
         "/imgtool-XXXXXX";
}

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

Result<TemporaryDirectory> TemporaryDirectory::Create(const std::string& shown_as) {
  if (watches_signals) StartWatching();
  std::string path = TemplatePath();
  Registry& all = AllDirectories();
  const std::lock_guard lock(all.mutex);
  if (all.is_ending) return MakeError(ErrorCode::kSystem, "ended by a signal");
  if (mkdtemp(path.data()) == nullptr) {
    const int saved = errno;
    return ErrnoError(saved, "mkdtemp(\"{}\")", path);
  }
  all.shown_as[path] = shown_as;
  all.present.insert(path);
  return TemporaryDirectory(std::move(path));
}

TemporaryDirectory::~TemporaryDirectory() {
  if (!path_) return;
  Registry& all = AllDirectories();
  const std::lock_guard lock(all.mutex);
  RemoveTree(*path_);
  all.present.erase(*path_);
}

void TemporaryDirectory::ShowFileAs(const std::string& file_name, const std::string& shown_as) {
  Registry& all = AllDirectories();
  const std::lock_guard lock(all.mutex);
  all.shown_as[*path_ + "/" + file_name] = shown_as;
}

std::string ShownText(std::string text) {
  Registry& all = AllDirectories();
  const std::lock_guard lock(all.mutex);
  // Backwards, as what is in a directory comes behind it.
  for (auto at = all.shown_as.rbegin(); at != all.shown_as.rend(); ++at) {
    ReplaceAll(text, at->first, at->second);
  }
  return text;
}

void RemoveTemporaryDirectoriesOnSignals() { watches_signals = true; }

}  // namespace ckpt
