#include "channel/server/state_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "support/temp_directory.h"
#include "sys/unique_fd.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow = TimePoint{} + 1000h;

class StateFileTest : public testing::Test {
 protected:
  void write(std::string_view text) {
    StateWriter state(file.get(), kNow);
    state.number(7);
    state.bytes(text);
    state.time(kNow - 60s);
    EXPECT_TRUE(state.finish().ok());
  }
  [[nodiscard]] off_t size() const { return ::lseek(file.get(), 0, SEEK_END); }

  UniqueFd file{::memfd_create("state", MFD_CLOEXEC)};
};

TEST_F(StateFileTest, ReadsValuesInTheOrderWritten) {
  write("ciao");
  StateReader state(file.get(), kNow + 5h);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state.number(), 7u);
  EXPECT_EQ(state.bytes(), "ciao");
  const auto age = kNow + 5h - state.time();
  EXPECT_GE(age, 60s) << "plus the time in the file";
  EXPECT_LT(age, 2h);
  EXPECT_TRUE(state.ok());
}

TEST_F(StateFileTest, ReadingPastTheEndReturnsEmptyAndNotOk) {
  write("");
  StateReader state(file.get(), kNow);
  (void)state.number();
  EXPECT_EQ(state.bytes(), "");
  (void)state.time();
  EXPECT_TRUE(state.ok());
  EXPECT_EQ(state.number(), 0u);
  EXPECT_FALSE(state.ok());
  EXPECT_EQ(state.bytes(), "");
}

TEST_F(StateFileTest, PartlyWrittenHeaderIsAnError) {
  // A file on disk, because the limit does not apply to memory files.
  const test::TempDirectory directory;
  const UniqueFd onDisk(
      ::open((directory.path() + "/state").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  StateWriter state(onDisk.get(), kNow);
  state.bytes(std::string(1'000'000, 'x'));  // more than the buffer: only the header remains
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit smaller{.rlim_cur = 10, .rlim_max = before.rlim_max};
  const auto signalBefore = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &smaller), 0);
  const Result<void> finished = state.finish();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, signalBefore);
  EXPECT_FALSE(finished.ok());
  EXPECT_FALSE(StateReader(onDisk.get(), kNow).ok());
}

TEST_F(StateFileTest, StateLargerThanTheBufferIsWrittenCompletely) {
  const std::string large(3'000'000, 'x');
  write(large);
  StateReader state(file.get(), kNow);
  EXPECT_EQ(state.number(), 7u);
  EXPECT_EQ(state.bytes(), large);
}

TEST_F(StateFileTest, ShorterStateReplacesALongerOne) {
  write(std::string(10'000, 'x'));
  write("short");
  StateReader state(file.get(), kNow);
  EXPECT_EQ(state.number(), 7u);
  EXPECT_EQ(state.bytes(), "short");
}

TEST_F(StateFileTest, EmptyAndUnfinishedFilesAreNotOk) {
  EXPECT_FALSE(StateReader(file.get(), kNow).ok());
  {
    StateWriter state(file.get(), kNow);
    state.bytes(std::string(1'000'000, 'x'));
  }
  EXPECT_GT(size(), 0);
  EXPECT_FALSE(StateReader(file.get(), kNow).ok());
}

TEST_F(StateFileTest, TruncatedOrChangedFileIsNotOk) {
  write("ciao");
  const off_t whole = size();
  for (off_t at = 0; at < whole; ++at) {
    char byte = 0;
    ASSERT_EQ(::pread(file.get(), &byte, 1, at), 1);
    const char other = static_cast<char>(byte ^ 0x10);
    ASSERT_EQ(::pwrite(file.get(), &other, 1, at), 1);
    EXPECT_FALSE(StateReader(file.get(), kNow).ok()) << "changed at " << at;
    ASSERT_EQ(::pwrite(file.get(), &byte, 1, at), 1);
  }
  EXPECT_TRUE(StateReader(file.get(), kNow).ok());
  for (off_t bytes = whole - 1; bytes >= 0; --bytes) {
    ASSERT_EQ(::ftruncate(file.get(), bytes), 0);
    EXPECT_FALSE(StateReader(file.get(), kNow).ok()) << "cut at " << bytes;
  }
}

TEST_F(StateFileTest, WriteErrorIsReported) {
  const UniqueFd full(::open("/dev/full", O_RDWR | O_CLOEXEC));
  StateWriter state(full.get(), kNow);
  state.bytes("ciao");
  const Result<void> left = state.finish();
  EXPECT_FALSE(left.ok());
  EXPECT_STREQ(left.error().step, "write");
}

}  // namespace
}  // namespace stormo::channel
