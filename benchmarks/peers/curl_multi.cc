// The bare limit of libcurl: the same POST again and again, so many at once, nothing else done.
//
//     curl_multi URL BODY_FILE IN_FLIGHT REQUESTS     prints requests per second
#include <curl/curl.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::size_t ignore(char*, std::size_t size, std::size_t count, void*) { return size * count; }

CURL* post(const char* url, const std::string& body, curl_slist* headers) {
  CURL* easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  return easy;
}

}  // namespace

int main(int, char** arguments) {
  const char* url = arguments[1];
  std::ifstream file(arguments[2]);
  std::stringstream text;
  text << file.rdbuf();
  const std::string body = text.str();
  const int in_flight = std::atoi(arguments[3]);
  const long requests = std::atol(arguments[4]);

  curl_global_init(CURL_GLOBAL_ALL);
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Expect:");
  CURLM* multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(in_flight));
  long started = 0;
  long done = 0;
  long failed = 0;
  const auto began = std::chrono::steady_clock::now();
  for (; started < in_flight && started < requests; ++started) {
    curl_multi_add_handle(multi, post(url, body, headers));
  }
  while (done < requests) {
    int active = 0;
    int left = 0;
    curl_multi_perform(multi, &active);
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      CURL* easy = message->easy_handle;
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      failed += message->data.result != CURLE_OK || status / 100 != 2 ? 1 : 0;
      ++done;
      curl_multi_remove_handle(multi, easy);
      if (started++ < requests) curl_multi_add_handle(multi, easy);
    }
    if (done < requests) curl_multi_poll(multi, nullptr, 0, 100, nullptr);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%.0f\n", static_cast<double>(requests) / took.count());
  return failed == 0 ? 0 : 1;
}
