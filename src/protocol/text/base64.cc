#include "protocol/text/base64.h"

#include <openssl/evp.h>

#include <cstddef>

namespace stormo {

void appendBase64(std::string_view bytes, std::string& out) {
  const std::size_t start = out.size();
  const std::size_t digits = (bytes.size() + 2) / 3 * 4;
  out.resize(start + digits + 1);  // the encoder adds a zero byte
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + start),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  out.pop_back();
}

}  // namespace stormo
