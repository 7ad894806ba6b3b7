#include "access/client_id.h"

#include <gtest/gtest.h>

namespace stormo::access {
namespace {

TEST(ClientIds, AnIdFindsItsConnectionAndNoOther) {
  const ClientIds ids;
  for (const ConnectionId connection : {ConnectionId{1}, ConnectionId{0x0102030405060708}}) {
    const std::string id = ids.idOf(connection);
    EXPECT_EQ(id.size(), 32u);
    EXPECT_EQ(ids.connectionOf(id), connection);
    EXPECT_EQ(ids.idOf(connection), id);
  }
  EXPECT_EQ(ids.idOf(1).substr(0, 12), ids.idOf(2).substr(0, 12));
}

TEST(ClientIds, AChangedIdAndThatOfAnotherProcessFindNothing) {
  const ClientIds ids;
  const std::string id = ids.idOf(77);
  for (std::size_t i = 0; i < id.size(); ++i) {
    std::string changed = id;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(ids.connectionOf(changed), std::nullopt) << i;
    EXPECT_EQ(ids.connectionOf(id.substr(0, i)), std::nullopt) << i;
  }
  EXPECT_EQ(ids.connectionOf(id + "A"), std::nullopt);
  EXPECT_EQ(ids.connectionOf(std::string(32, '*')), std::nullopt);
  EXPECT_EQ(ClientIds().connectionOf(id), std::nullopt);
}

}  // namespace
}  // namespace stormo::access
