#pragma once

namespace stormo {

/// Deleter of a std::unique_ptr for an object of OpenSSL: FreeBy<&::X509_free>.
template <auto Function>
struct FreeBy {
  template <typename T>
  void operator()(T* object) const {
    Function(object);
  }
};

}  // namespace stormo
