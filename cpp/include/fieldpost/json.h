// Documents that authors write. Never used for events: those stay text (see event/walker.h).
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fieldpost {

// An object that keeps the order of its keys. nlohmann's own looks at every key for each one that
// is added or asked for, so that a table of a million rows would never be read: a long one has an
// index here.
template <class Key, class T, class IgnoredLess = std::less<Key>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
class OrderedObject : public nlohmann::ordered_map<Key, T, IgnoredLess, Allocator> {
  using Base = nlohmann::ordered_map<Key, T, IgnoredLess, Allocator>;

 public:
  using Base::Base;
  using typename Base::const_iterator;
  using typename Base::iterator;
  using typename Base::size_type;
  using typename Base::value_type;

  template <class K>
  iterator find(const K& key) {
    return this->begin() + place(key);
  }
  template <class K>
  const_iterator find(const K& key) const {
    return this->begin() + place(key);
  }
  template <class K>
  size_type count(const K& key) const {
    return find(key) == this->end() ? 0 : 1;
  }

  template <class K>
  std::pair<iterator, bool> emplace(K&& key, T&& value) {
    const iterator known = find(key);
    if (known != this->end()) return {known, false};
    std::vector<value_type, Allocator>& members = *this;
    members.emplace_back(std::forward<K>(key), std::move(value));
    remember_last();
    return {std::prev(this->end()), true};
  }
  std::pair<iterator, bool> insert(const value_type& value) {
    return emplace(value.first, T(value.second));
  }
  template <class Iterator>
  void insert(Iterator first, Iterator last) {
    for (; first != last; ++first) insert(*first);
  }

  template <class K>
  T& operator[](K&& key) {
    return emplace(std::forward<K>(key), T{}).first->second;
  }
  template <class K>
  const T& operator[](const K& key) const {
    return at(key);
  }
  template <class K>
  T& at(const K& key) {
    return const_cast<T&>(std::as_const(*this).at(key));
  }
  template <class K>
  const T& at(const K& key) const {
    const const_iterator found = find(key);
    if (found == this->end()) throw std::out_of_range("key not found");
    return found->second;
  }

  template <class What>
  auto erase(What&& what) {
    places_.clear();
    return Base::erase(std::forward<What>(what));
  }
  iterator erase(iterator first, iterator last) {
    places_.clear();
    return Base::erase(first, last);
  }
  void clear() {
    places_.clear();
    Base::clear();
  }

 private:
  static constexpr std::size_t kLong = 64;  // members; a shorter object is searched

  // Of the key's member, size() where there is none.
  template <class K>
  std::ptrdiff_t place(const K& key) const {
    std::size_t at = 0;
    if (places_.empty()) {
      while (at < this->size() && this->data()[at].first != key) ++at;
    } else {
      const auto known = places_.find(Key(key));
      at = known == places_.end() ? this->size() : known->second;
    }
    return static_cast<std::ptrdiff_t>(at);
  }

  void remember_last() {
    if (this->size() < kLong) return;
    for (std::size_t at = places_.empty() ? 0 : this->size() - 1; at < this->size(); ++at) {
      places_.emplace(this->data()[at].first, at);
    }
  }

  std::unordered_map<Key, std::size_t> places_;  // empty where all are searched
};

using Json = nlohmann::basic_json<OrderedObject>;

}  // namespace fieldpost
