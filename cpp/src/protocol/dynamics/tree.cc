#include "protocol/dynamics/tree.h"

#include <algorithm>
#include <utility>

namespace fieldpost::dynamics {

namespace {

bool brings_id(const Row& row) {
  if (row.brings_id) return true;
  return std::any_of(row.branches.begin(), row.branches.end(), [](const Branch& branch) {
    return std::any_of(branch.rows.begin(), branch.rows.end(), brings_id);
  });
}

std::string without_query(const std::string& path) { return path.substr(0, path.find('?')); }

// The parts of one tree, in their order.
class Tree {
 public:
  // `by_reference`: rows are tied after both are written, not while they are.
  Tree(const Order& order, bool by_reference, Write& write)
      : order_(order), by_reference_(by_reference), write_(write) {}

  void add_root(const Row& row, Part head) {
    const std::string path = head.method == "POST" ? row.path() : without_query(head.path);
    const bool has_id_in_body = head.method == "POST";
    add(row, std::move(head), path, has_id_in_body ? id_member(row) : "", true);
  }

  std::vector<Part> take() { return std::move(parts_); }

 private:
  static std::string id_member(const Row& row) {
    return row.id.empty() ? "" : "\"" + row.table->key + "\":\"" + row.id + "\"";
  }

  // `path`: of the row; `more`: members beside its columns.
  void add(const Row& row, Part head, const std::string& path, const std::string& more,
           bool is_root) {
    Row body;
    body.add(more);
    body.add(row.columns);
    std::vector<Part> ties;
    for (const Branch& branch : row.branches) {
      if (!branch.is_list) add_pointed(branch, path, body, ties, is_root);
    }
    head.body = "{" + body.columns + "}";
    parts_.push_back(std::move(head));
    if (is_root) write_.root = parts_.size();
    for (Part& tie : ties) parts_.push_back(std::move(tie));
    for (const Branch& branch : row.branches) {
      if (branch.is_list) add_pointing(branch, path);
    }
  }

  // What the row points at.
  void add_pointed(const Branch& branch, const std::string& path, Row& body,
                   std::vector<Part>& ties, bool is_root) {
    const Row& child = branch.rows.front();
    add_child(child, "");
    if (by_reference_) {
      ties.push_back(pointed_reference(branch, path, child));
    } else {
      body.add(bind_member(branch.property, child.path()));
      write_.ties_inside = true;
      write_.root_ties = write_.root_ties || is_root;
    }
  }

  // What points at the row.
  void add_pointing(const Branch& branch, const std::string& path) {
    const std::string collection = path + "/" + branch.property;
    if (!branch.rows.empty() && !branch.rows.front().table->keyed) {
      return add_replaced(branch, collection);
    }
    const std::string& partner = branch.navigation->partner;
    const bool binds = !by_reference_ && !partner.empty();
    for (const Row& child : branch.rows) {
      add_child(child, binds ? bind_member(partner, path) : "");
      if (binds) {
        write_.ties_inside = true;
      } else {
        parts_.push_back(reference("POST", collection + "/$ref", child.path()));
      }
    }
  }

  // Parties of an activity, which have no life of their own, take the place of those it had.
  void add_replaced(const Branch& branch, const std::string& collection) {
    std::string rows;
    for (const Row& row : branch.rows) rows.append(rows.empty() ? "" : ",").append(row.deep());
    parts_.push_back({"PUT", collection, order_.options(), "{\"value\":[" + rows + "]}"});
  }

  void add_child(const Row& child, const std::string& more) {
    const std::string& set = child.table->set;
    if (child.brings_id) {
      return add(child, {"PATCH", child.path(), order_.options(), ""}, child.path(), more, false);
    }
    Part post{"POST", set, order_.options(), ""};
    if (brings_id(child) || child.nested() > kMostNested) {
      std::string members = id_member(child);
      if (!more.empty()) members.append(",").append(more);
      add(child, std::move(post), child.path(), members, false);
    } else {
      post.body = child.deep(more);
      parts_.push_back(std::move(post));
    }
    mark(child);
  }

  void mark(const Row& created) {
    if (!write_.marker.empty()) return;
    write_.marker = created.path();
    write_.marker_key = created.table->key;
  }

  // From the other side where the way back is known: what a collection is given is looked up as
  // the rows of an address are, not as those of a bind.
  Part pointed_reference(const Branch& branch, const std::string& path, const Row& child) const {
    const std::string& partner = branch.navigation->partner;
    if (partner.empty()) {
      return reference("PUT", path + "/" + branch.property + "/$ref", child.path());
    }
    return reference("POST", child.path() + "/" + partner + "/$ref", path);
  }

  Part reference(const char* method, std::string path, const std::string& to) const {
    return {method, std::move(path), order_.options(),
            "{\"@odata.id\":\"" + order_.api + to + "\"}"};
  }

  const Order& order_;
  bool by_reference_;
  Write& write_;
  std::vector<Part> parts_;
};

Call send(const Order& order, const Row& root, Part head, bool by_reference, Write write) {
  Tree tree(order, by_reference, write);
  tree.add_root(root, std::move(head));
  return order.together(tree.take(), std::move(write));
}

}  // namespace

Call send_tree(const Order& order, const Row& root, Part head, Write write) {
  Write tied = write;
  Tree tree(order, false, tied);
  tree.add_root(root, head);
  if (tied.ties_inside) {
    tied.where_untied =
        std::make_shared<const Call>(send(order, root, std::move(head), true, std::move(write)));
  }
  return order.together(tree.take(), std::move(tied));
}

}  // namespace fieldpost::dynamics
