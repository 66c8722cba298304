#!/usr/bin/env bash
# What surprises: the filter for Korean numbers takes the units 일 (day) and 조 (article of the terms) for the numerals 1 and 10^12: "1일" (one
#   day) becomes "11", "11일" becomes "111", and "제3조" becomes "3000000000000".
# Seen with: lucene-analysis-nori 9.12.3 (Maven), the filter behind nori_number of OpenSearch and Elasticsearch, Java 17 and Maven 3.8.
# Why it matters: "1일 이체 한도" and "약관 제3조" are what a bank's customers ask for. A question about one day finds rows with 11 months, and
#   one about article 3 finds amounts of 3조원.
# Expected: "1 일" and "3 조", as from the tokenizer: it tags 일 here as a unit (NNBC) and 조 as a noun (NNG), and the 조 of 3조원 as a numeral (NR).
# Reason: the filter reads the characters of the tokens, and joins all that can stand in a number, whatever their tag.
# Output:
#   lucene-analysis-nori 9.12.3
#   5천만원: [5/SN, 천만/NR, 원/NNBC] -> [50000000, 원]
#   11개월: [11/SN, 개월/NNBC] -> [11, 개월]
#   1일 한도: [1/SN, 일/NNBC, 한도/NNG] -> [11, 한도]
#   11일: [11/SN, 일/NNBC] -> [111]
#   3조원: [3/SN, 조/NR, 원/NNBC] -> [3000000000000, 원]
#   제3조: [제/XPN, 3/SN, 조/NNG] -> [제, 3000000000000]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>findings</groupId>
  <artifactId>nori</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.lucene</groupId>
      <artifactId>lucene-analysis-nori</artifactId>
      <version>9.12.3</version>
    </dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode --file "$folder/pom.xml" \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory="$folder/lib"

cat >"$folder/Numbers.java" <<'JAVA'
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.ko.KoreanNumberFilter;
import org.apache.lucene.analysis.ko.KoreanTokenizer;
import org.apache.lucene.analysis.ko.tokenattributes.PartOfSpeechAttribute;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.util.Version;

public class Numbers {
  /** The tokens that are not spaces, with the tags of the tokenizer if there is no filter. */
  static List<String> tokens(String text, boolean filtered) throws Exception {
    // The filter's documentation asks for a tokenizer that keeps punctuation.
    KoreanTokenizer tokenizer =
        new KoreanTokenizer(
            TokenStream.DEFAULT_TOKEN_ATTRIBUTE_FACTORY, null, KoreanTokenizer.DEFAULT_DECOMPOUND, false, false);
    tokenizer.setReader(new StringReader(text));
    List<String> found = new ArrayList<>();
    try (TokenStream stream = filtered ? new KoreanNumberFilter(tokenizer) : tokenizer) {
      CharTermAttribute term = stream.addAttribute(CharTermAttribute.class);
      PartOfSpeechAttribute tag = stream.addAttribute(PartOfSpeechAttribute.class);
      stream.reset();
      while (stream.incrementToken()) {
        if (!term.toString().isBlank()) {
          found.add(filtered ? term.toString() : term + "/" + tag.getLeftPOS());
        }
      }
      stream.end();
    }
    return found;
  }

  public static void main(String[] arguments) throws Exception {
    System.out.println("lucene-analysis-nori " + Version.LATEST);
    Map<String, List<String>> recorded =
        Map.of(
            "5천만원", List.of("50000000", "원"),
            "11개월", List.of("11", "개월"),
            "1일 한도", List.of("11", "한도"),
            "11일", List.of("111"),
            "3조원", List.of("3000000000000", "원"),
            "제3조", List.of("제", "3000000000000"));
    for (String text : List.of("5천만원", "11개월", "1일 한도", "11일", "3조원", "제3조")) {
      List<String> read = tokens(text, true);
      System.out.println(text + ": " + tokens(text, false) + " -> " + read);
      if (!read.equals(recorded.get(text))) {
        System.out.println("changed: " + text + " is read as " + read);
        System.exit(1);
      }
    }
    System.out.println("as recorded");
  }
}
JAVA
java -cp "$folder/lib/*" "$folder/Numbers.java"
