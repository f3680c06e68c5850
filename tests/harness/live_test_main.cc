// The main function of tests of live processes.
#include <gmock/gmock.h>
#include <stdio.h>

#include "tests/harness/namespaces.h"

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  const ckpt::Result<int> status = ckpt::RunInNamespaces([] { return RUN_ALL_TESTS(); });
  if (status.has_value()) return status.value();
  fprintf(stderr, "%s\n", status.error().message.c_str());
  return static_cast<int>(status.error().code);
}
