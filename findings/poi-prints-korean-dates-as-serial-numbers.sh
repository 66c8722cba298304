#!/usr/bin/env bash
# What surprises: of a date cell with a Korean format the formatter prints the serial number: 2026-03-01 in yyyy"년" m"월" d"일" is "46082.0". With
#   年 月 日 in place of 년 월 일 the same cell is a date.
# Seen with: poi-ooxml 5.5.1 (Maven) on a workbook written by itself, Java 17 and Maven 3.8.
# Why it matters: so a Korean sheet writes a date out: the day from which a rate applies, the end of an event. The row's text is then "적용일:
#   46082.0", and code that asks whether the cell is a date is told that it is not.
# Expected: "2026년 3월 1일": quoted text is shown as it is (ECMA-376 part 1, 18.8.31), whatever its script.
# Reason: DateUtil.isADateFormat knows the letters of a date's format and 年 月 日, and takes a format with any other for a number's.
# Public: apache/poi#48 (pull request, closed) asked for the Chinese and Japanese ones.
# Output:
#   poi 5.5.1
#   yyyy-mm-dd                   a date: true   2026-03-01
#   yyyy"年" m"月" d"日"           a date: true   2026"年" 3"月" 1"日"
#   yyyy"년" m"월" d"일"           a date: false  46082.0
#   [$-ko-KR]m"월" d"일";@        a date: false  46082.0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>findings</groupId>
  <artifactId>poi</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.poi</groupId>
      <artifactId>poi-ooxml</artifactId>
      <version>5.5.1</version>
    </dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode --file "$folder/pom.xml" \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory="$folder/lib"

cat >"$folder/Dates.java" <<'JAVA'
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.time.LocalDate;
import org.apache.poi.Version;
import org.apache.poi.ss.usermodel.Cell;
import org.apache.poi.ss.usermodel.CellStyle;
import org.apache.poi.ss.usermodel.DataFormatter;
import org.apache.poi.ss.usermodel.DateUtil;
import org.apache.poi.ss.usermodel.Workbook;
import org.apache.poi.xssf.usermodel.XSSFWorkbook;

public class Dates {
  static void check(boolean same, String what) {
    if (!same) {
      System.out.println("changed: " + what);
      System.exit(1);
    }
  }

  /** A workbook's file with one cell, which holds 2026-03-01. */
  static byte[] file(String format) throws Exception {
    try (Workbook workbook = new XSSFWorkbook(); ByteArrayOutputStream bytes = new ByteArrayOutputStream()) {
      CellStyle style = workbook.createCellStyle();
      style.setDataFormat(workbook.createDataFormat().getFormat(format));
      Cell cell = workbook.createSheet().createRow(0).createCell(0);
      cell.setCellValue(LocalDate.of(2026, 3, 1));
      cell.setCellStyle(style);
      workbook.write(bytes);
      return bytes.toByteArray();
    }
  }

  public static void main(String[] arguments) throws Exception {
    System.out.println("poi " + Version.getVersion());
    String[][] recorded = {
      {"yyyy-mm-dd", "true", "2026-03-01"},
      {"yyyy\"年\" m\"月\" d\"日\"", "true", "2026\"年\" 3\"月\" 1\"日\""},
      {"yyyy\"년\" m\"월\" d\"일\"", "false", "46082.0"},
      {"[$-ko-KR]m\"월\" d\"일\";@", "false", "46082.0"},
    };
    for (String[] row : recorded) {
      try (Workbook workbook = new XSSFWorkbook(new ByteArrayInputStream(file(row[0])))) {
        Cell cell = workbook.getSheetAt(0).getRow(0).getCell(0);
        boolean date = DateUtil.isCellDateFormatted(cell);
        String read = new DataFormatter().formatCellValue(cell);
        System.out.printf("%-28s a date: %-6s %s%n", row[0], date, read);
        check(cell.getLocalDateTimeCellValue().toLocalDate().equals(LocalDate.of(2026, 3, 1)), "the cell's value");
        check(String.valueOf(date).equals(row[1]), row[0] + " is a date: " + date);
        check(read.equals(row[2]), row[0] + " is read as " + read);
      }
    }
    System.out.println("as recorded");
  }
}
JAVA
java -Dlog4j2.StatusLogger.level=OFF -cp "$folder/lib/*" "$folder/Dates.java"
